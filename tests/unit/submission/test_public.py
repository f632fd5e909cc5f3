"""What becomes public of a confidential submission: what the clause says that its submitter accepted, and no more."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from scorekit import cohorts, records
from scorekit.impacts import terms_of
from scorekit.records import Reason, Record, Score
from scorekit.submission import clauses, public
from scorekit.submission.prints import is_same, print_of, rounded, tells_no_lengths
from scorekit.submission.public import public_result, public_score
from scorekit.submission.telling import becomes_public, follows_from
from tests.bundles import official_score
from tests.evidence import good_evidence
from tests.unit.submission.made import judge

DOCS = Path(__file__).parents[3] / "docs" / "submissions.md"
CLAUSE = next(clause for clause in clauses.CLAUSES if clause.name == "public_data")
ALLOWED: Final = frozenset().union(*public.SCORE.values())
WITHHELD: Final[dict[type[Record], set[str]]] = {
    Score: {"model_revision", "parameters", "output_tokens", "repeats", "idle_power_w", "wh_per_1000_queries_net"},
    records.PhaseScore: {
        "duration_s_by_repeat", "output_tokens_by_repeat", "duration_s", "output_tokens", "note",
    },
    # Runs of a server are not packed.
    records.Conditions: {"concurrency"},
    records.Provenance: {"files"},
    records.Uncertainty: set(),
}  # fmt: skip
LISTS: Final[dict[type[Record], frozenset[str]]] = {
    Score: ALLOWED,
    records.PhaseScore: public.PHASE,
    records.Conditions: public.CONDITIONS,
    records.Provenance: public.PROVENANCE,
    records.Uncertainty: public.UNCERTAINTY,
}


@pytest.fixture
def score(confidential: bytes) -> Score:
    """Of a confidential submission, as the operators have it."""
    (run,) = judge(confidential).runs
    assert run.score is not None
    return run.score


def test_what_is_public_stands_in_the_words_of_the_clause() -> None:
    assert len(public.SCORE) == 4
    for words in public.SCORE:
        assert words in CLAUSE.text
    assert "Of a confidential submission nothing else" in CLAUSE.text
    assert sum(map(len, public.SCORE.values())) == len(ALLOWED), "a field stands under one head"


@pytest.mark.parametrize("kind", list(LISTS))
def test_somebody_has_decided_on_every_field(kind: type[Record]) -> None:
    assert set(kind.model_fields) == LISTS[kind] | WITHHELD[kind], "a new field stays back until it is written down"
    assert not LISTS[kind] & WITHHELD[kind]


def test_what_is_not_on_the_list_is_not_there(score: Score) -> None:
    shown = public_score(score)
    for name in WITHHELD[Score]:
        assert getattr(shown, name) in (None, ()), name
    for phase, whole in zip(shown.phases, score.phases, strict=True):
        assert phase.energy_wh_by_repeat == pytest.approx(whole.energy_wh_by_repeat, rel=1e-5)
        assert set(phase.duration_s_by_repeat) == set(phase.output_tokens_by_repeat) == {None}
        assert (phase.duration_s, phase.output_tokens, phase.note) == (None, None, None)
    assert shown.provenance.files == {}
    assert good_evidence().environment.created_utc == "2025-06-01T12:00:00+00:00"
    assert shown.provenance.created_utc == "2025-06-01T00:00:00+00:00"
    assert (shown.cpu_kwh, shown.ram_kwh) == (None, None), "modelled: a constant times the time"
    assert shown.gpu_kwh == shown.energy_kwh == rounded(score.energy_kwh)
    assert shown.wh_per_1000_queries == pytest.approx(shown.energy_kwh * 1e6 / shown.queries, rel=1e-12)


def test_the_result_is_made_of_that_alone(score: Score) -> None:
    result = public_result(score, "confidential", "a/runs/1")
    assert result.comparable
    assert result.confidential
    assert result.score == public_score(score)
    assert result.source.format == "scorekit.submission/1 confidential"
    assert (result.duration_s, result.output_tokens, result.dtype, result.source.files) == (None, None, None, {})
    assert public_result(score, "open", "a/runs/1").score == score
    assert [term.name for term in terms_of(result)] == ["gpu"]


def test_uncertainty_tells_no_length_of_a_window(score: Score) -> None:
    whole, shown = score.uncertainty, public_score(score).uncertainty
    assert whole is not None
    assert shown is not None
    assert {term.name for term in whole.terms} - {term.name for term in shown.terms} == {"tick", "aliasing", "sampling"}
    assert shown.half_width_95_percent == rounded(whole.half_width_95_percent)
    assert whole.combined_95_percent is not None
    assert shown.combined_95_percent == 1.0 > whole.combined_95_percent
    assert shown.with_board_gain_95_percent == pytest.approx((1 + 4.75**2) ** 0.5)


def test_the_energy_of_tokens_is_told_where_the_protocol_asks_for_it() -> None:
    told = official_score(wh_per_1000_output_tokens=1.0)
    assert public_score(told).wh_per_1000_output_tokens is None
    assert public_score(told.model_copy(update={"task": "reasoning"})).wh_per_1000_output_tokens == 1.0


@pytest.mark.parametrize(
    ("domain", "cpu", "ram", "told"),
    [
        ("gpu", "measured", "modelled", {"cpu"}),
        ("gpu", "measured", "measured", {"cpu", "ram"}),
        ("cpu+ram", "measured", "modelled", set()),
        ("cpu+ram", "measured", "measured", {"cpu", "ram"}),
    ],
)
def test_parts_that_are_modelled_stay_back(domain: str, cpu: str, ram: str, told: set[str]) -> None:
    facts = {"domain": domain, "cpu_origin": cpu, "ram_origin": ram, "cpu_kwh": 0.002, "ram_kwh": 0.001}
    score = official_score(**facts, gpu_kwh=None if domain == "cpu+ram" else 0.01)
    shown = public_score(score)
    assert {part for part in ("cpu", "ram") if getattr(shown, f"{part}_kwh") is not None} == told
    # Impacts take the whole where the parts are not told.
    if domain == "cpu+ram" and not told:
        (term,) = terms_of(shown)
        assert term.name == "cpu+ram"
        assert (term.energy_wh.low + term.energy_wh.high) / 2 == pytest.approx(1000 * score.energy_kwh, rel=1e-5)


def test_words_of_checks_stay_back_and_their_names_do_not() -> None:
    reasons = tuple(Reason(code=code, message="lasts 63.719 s") for code in ("window_length", "dtype", "hardware"))
    shown = public_score(official_score(warnings=reasons, invalid_because=reasons, not_comparable_because=reasons))
    for found in (shown.warnings, shown.invalid_because):
        assert [reason.code for reason in found] == ["window_length", "dtype", "hardware"]
        assert {reason.message for reason in found} == {public.WORDS_WITHHELD}
    assert [reason.message for reason in shown.not_comparable_because][:2] == [public.WORDS_WITHHELD] * 2
    assert shown.not_comparable_because[2] == reasons[2]


MOST_PASSES: Final = 5_000


def _passes(energies_wh: Sequence[float | None]) -> int | None:
    """The attack: the smallest number of passes by which energies of a pass are whole millijoules; None: no number.

    Whoever asks so knows how many digits a figure has, and takes no number that its last digit would make fit.
    """
    energies_mj = [3_600_000 * energy_wh for energy_wh in energies_wh if energy_wh is not None]
    for passes in range(1, MOST_PASSES + 1):
        whole = [passes * energy_mj for energy_mj in energies_mj]
        if all(abs(energy_mj - round(energy_mj)) < 1e-4 for energy_mj in whole):
            return passes
    return None


def _counted(passes: int) -> Score:
    """A score whose energies of a repeat are those of a counter of millijoules, over so many passes."""
    energies_wh = tuple((17_812_345 + 9_431 * repeat) / passes / 3_600_000 for repeat in range(10))
    (generate,) = (phase for phase in official_score().phases if phase.phase == "generate")
    mean_wh = sum(energies_wh) / len(energies_wh)
    phase = generate.model_copy(update={"energy_wh_by_repeat": energies_wh, "energy_wh": mean_wh,
                                        "duration_s_by_repeat": (63.0 / passes,) * 10})  # fmt: skip
    return official_score(
        phases=(phase,), energy_kwh=mean_wh / 1000, gpu_kwh=mean_wh / 1000, wh_per_1000_queries=mean_wh
    )


@pytest.mark.parametrize("passes", [1, 7, 37, 212, 999])
def test_no_number_of_passes_follows_from_energies(passes: int) -> None:
    whole = _counted(passes)
    assert _passes(whole.phases[0].energy_wh_by_repeat) == passes, "the attack works on what the operators have"
    shown = public_score(whole)
    # The digits of 4.94787 Wh alone are of 36 mJ each: one pass is always an answer, and tells nothing.
    assert passes == 1 or _passes(shown.phases[0].energy_wh_by_repeat) != passes
    # Whatever number is tried, the last digit that is told is of more than one millijoule.
    for told_wh in shown.phases[0].energy_wh_by_repeat:
        assert told_wh is not None
        digit_wh = 10.0 ** (int(f"{told_wh:e}".partition("e")[2]) - 5)
        assert passes * digit_wh * 3_600_000 > 1


def _figures(value: Any) -> list[float]:
    if isinstance(value, dict):
        return [figure for name, item in value.items() if name not in _DERIVED for figure in _figures(item)]
    if isinstance(value, list):
        return [figure for item in value for figure in _figures(item)]
    return [value] if isinstance(value, float) else []


_DERIVED: Final = {"wh_per_1000_queries", "combined_95_percent", "with_board_gain_95_percent"}
"""Of other figures that are told."""


def test_no_figure_has_more_digits_than_six(score: Score) -> None:
    figures = _figures(json.loads(public_score(score).model_dump_json()))
    assert len(figures) > 20
    assert figures == [rounded(figure) for figure in figures]


def test_a_measurement_is_known_again_by_what_is_public_of_it() -> None:
    whole, other = print_of(_counted(7)), print_of(_counted(37))
    shown = print_of(public_score(_counted(7)))
    assert whole is not None
    assert other is not None
    assert shown is not None
    assert tells_no_lengths(shown)
    assert is_same(whole, shown)
    assert is_same(shown, whole)
    assert not is_same(other, shown)
    fewer = whole.model_copy(update={"energies_wh": whole.energies_wh[:2:-1]})
    assert is_same(fewer, shown), "repeats left out, and in another order"
    near = whole.model_copy(
        update={"sha256": "0" * 64, "energies_wh": tuple((wh or 0) * (1 + 1e-8) for wh in whole.energies_wh)}
    )
    assert not is_same(near, whole), "where lengths are told, energies are compared in full"


def test_the_fingerprint_of_the_official_dataset_alone_is_told() -> None:
    told = official_score()
    assert told.conditions is not None
    assert public_score(told).conditions == told.conditions
    own = told.model_copy(update={"conditions": told.conditions.model_copy(update={"dataset": "withheld"})})
    shown = public_score(own)
    assert shown.conditions is not None
    assert shown.conditions.dataset_fingerprint == records.UNTOLD_DATASET
    assert cohorts.untold(shown) == ("samples of the dataset",), "two of them are not known to be alike"


@pytest.mark.parametrize("created_utc", ["2025-06-01T23:59:58+00:00", "2025-06-02T01:30:00+02:00", "2025-06-01 07:00"])
def test_of_the_time_the_day_is_told(created_utc: str) -> None:
    score = official_score()
    score = score.model_copy(update={"provenance": score.provenance.model_copy(update={"created_utc": created_utc})})
    assert public_score(score).provenance.created_utc == "2025-06-01T00:00:00+00:00"
    assert public_result(score, "confidential", "a").source.measured_utc == "2025-06-01T00:00:00+00:00"


def test_packing_tells_what_follows_of_a_run() -> None:
    assert follows_from("confidential", "runs/1", official_score()) == ()
    assert follows_from("confidential", "runs/1", None) == ()
    cpu = official_score(domain="cpu+ram", origin="modelled")
    (line,) = follows_from("confidential", "runs/1", cpu)
    assert "how long all of it, each phase and each repeat took" in line
    assert follows_from("open", "runs/1", cpu) == ()
    (line,) = follows_from("confidential", "runs/2", official_score().model_copy(update={"task": "reasoning"}))
    assert line == "runs/2: both energies together tell how many tokens an answer has on average"
    assert becomes_public("confidential", [line])[-1] == line


def test_packing_and_its_page_tell_what_becomes_public() -> None:
    told = " ".join(becomes_public("confidential"))
    for words in ("not times, counts of tokens, powers, dtype, quantisation and attention", "size class"):
        assert words in told
    page = DOCS.read_text(encoding="utf-8")
    assert "### What becomes public" in page
    assert "| the day, as midnight UTC |" in page
    for line in ("time of each phase and repeat | yes | no", "counts of tokens | yes | no", "size class | yes | yes"):
        assert f"{line} |" in page
