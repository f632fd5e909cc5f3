"""What becomes public of a confidential submission: what the clause says that its submitter accepted, and no more."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from scorekit import records
from scorekit.impacts import terms_of
from scorekit.records import Reason, Record, Score
from scorekit.submission import clauses, public
from scorekit.submission.public import public_result, public_score
from scorekit.submission.telling import becomes_public
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
        assert phase.energy_wh_by_repeat == whole.energy_wh_by_repeat
        assert set(phase.duration_s_by_repeat) == set(phase.output_tokens_by_repeat) == {None}
        assert (phase.duration_s, phase.output_tokens, phase.note) == (None, None, None)
    assert shown.provenance.files == {}
    assert shown.provenance.created_utc == good_evidence().environment.created_utc
    assert (shown.cpu_kwh, shown.ram_kwh) == (None, None), "modelled: a constant times the time"
    assert shown.gpu_kwh == score.gpu_kwh


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
    assert shown.half_width_95_percent == whole.half_width_95_percent
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
        assert (term.energy_wh.low + term.energy_wh.high) / 2 == pytest.approx(1000 * score.energy_kwh)


def test_words_of_checks_stay_back_and_their_names_do_not() -> None:
    reasons = tuple(Reason(code=code, message="lasts 63.719 s") for code in ("window_length", "dtype", "hardware"))
    shown = public_score(official_score(warnings=reasons, invalid_because=reasons, not_comparable_because=reasons))
    for found in (shown.warnings, shown.invalid_because):
        assert [reason.code for reason in found] == ["window_length", "dtype", "hardware"]
        assert {reason.message for reason in found} == {public.WORDS_WITHHELD}
    assert [reason.message for reason in shown.not_comparable_because][:2] == [public.WORDS_WITHHELD] * 2
    assert shown.not_comparable_because[2] == reasons[2]


def test_packing_and_its_page_tell_what_becomes_public() -> None:
    told = " ".join(becomes_public("confidential"))
    for words in ("not times, counts of tokens, powers, dtype, quantisation and attention", "size class"):
        assert words in told
    page = DOCS.read_text(encoding="utf-8")
    assert "### What becomes public" in page
    for line in ("time of each phase and repeat | yes | no", "counts of tokens | yes | no", "size class | yes | yes"):
        assert f"{line} |" in page
