"""Of a confidential submission no time, count of tokens or idle power is public, in whichever file one looks."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from scorekit import submission
from scorekit.editions import FEBRUARY_2025
from scorekit.portal.checking import check_one
from scorekit.portal.ledger import submissions
from scorekit.portal.ledger.people import Actor
from scorekit.portal.opened import Portal
from scorekit.portal.publishing import build_site, publish_pending, want_site
from scorekit.publish.site.content import model_slug
from scorekit.records import Score
from scorekit.submission import terms
from scorekit.submission.allow_lists import Form
from scorekit.validity import Evidence
from tests import evidence as made_up
from tests.bundles import environment
from tests.evidence import change_facts, change_windows, of_phase
from tests.portal.measured import accept, hand_in, results_of, scaled
from tests.unit.submission.made import codes, judge, request, thinned, write_run

HIDDEN, OPEN = "Hidden 1", "example/open-1b"
UNUSUAL = {"ANSWERING_S": 63.719317, "PREPARING_S": 21.371719, "IDLE_W": 103.71739, "LOAD_W": 413.37191}
INPUT_TOKENS, OUTPUT_TOKENS = 1_697_333, 7_306_933
NOTE = "it was handed in confidentially"


@pytest.fixture
def unusual(monkeypatch: pytest.MonkeyPatch) -> Evidence:
    """A run of lengths, powers and counts that nothing else has."""
    for name, value in UNUSUAL.items():
        monkeypatch.setattr(made_up, name, value)
    found = thinned(made_up.good_evidence.__wrapped__())
    return change_windows(of_phase("generate"), input_tokens=INPUT_TOKENS)(found)


def _reasoning(evidence: Evidence) -> Evidence:
    """The same as a run of reasoning, whose output tokens are the model's own choice."""
    facts = environment("reasoning", gpus=evidence.environment.gpus, run=made_up.RUN)
    return change_windows(of_phase("generate"), output_tokens=OUTPUT_TOKENS)(
        change_facts(run=facts.run, dataset=facts.dataset)(evidence)
    )


def _packed(folder: Path, evidence: Evidence, form: Form, name: str, factor: float) -> bytes:
    runs = [
        write_run(folder / task, change_facts(model={"name": OPEN})(scaled(run, factor * more)))
        for task, run, more in (("text", evidence, 1.0), ("reasoning", _reasoning(evidence), 1.1))
    ]
    return submission.pack(runs, request(form=form, model_name=name)).content


def _text(path: Path) -> str:
    if path.suffix == ".gz":
        return gzip.decompress(path.read_bytes()).decode()
    if path.suffix == ".parquet":
        return json.dumps(pq.read_table(path).to_pylist(), default=str)
    text = path.read_bytes().decode("utf-8", "replace")
    # Outlines of letters are numbers too.
    return re.sub(r'\bd="[^"]*"', "", text) if path.suffix == ".svg" else text


def _public(portal: Portal) -> dict[str, str]:
    """The text of every public file, by its path."""
    folders = (portal.settings.results, portal.settings.site)
    files = sorted(path for folder in folders for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(portal.settings.data).as_posix(): _text(path) for path in files}


def _secrets(score: Score) -> dict[str, tuple[str, ...]]:
    """What may not be public of a score, as files and pages would write it."""
    values = {f"repeat {row.repeat}": row.duration_s for row in score.repeats}
    for phase in score.phases:
        values |= {f"{phase.phase} {number}": s for number, s in enumerate(phase.duration_s_by_repeat) if s is not None}
        if phase.duration_s is not None:
            values[phase.phase] = phase.duration_s
    assert score.idle_power_w is not None
    assert score.wh_per_1000_queries_net is not None
    values |= {"idle power": score.idle_power_w, "net": score.wh_per_1000_queries_net}
    values["power"] = score.energy_kwh * 3.6e6 / sum(phase.duration_s or 0.0 for phase in score.phases)
    found = {name: _forms(value) for name, value in values.items()}
    if score.task == "reasoning":
        found["output tokens"] = (str(OUTPUT_TOKENS), f"{OUTPUT_TOKENS:,}", f"{OUTPUT_TOKENS / 1000:.3f}")
    found["input tokens"] = (str(INPUT_TOKENS), f"{INPUT_TOKENS:,}")
    for term in () if score.uncertainty is None else score.uncertainty.terms:
        if term.name in ("tick", "aliasing") and term.standard_percent:
            found[term.name] = _forms(term.standard_percent)
    return found


def _exact(score: Score) -> list[str]:
    """Energies as the operators have them."""
    found = [score.energy_kwh, score.wh_per_1000_queries]
    found += [wh for phase in score.phases for wh in phase.energy_wh_by_repeat if wh is not None]
    return [text[:-2] for text in map(repr, found) if len(text) > 12]


def _forms(value: float) -> tuple[str, ...]:
    """Its first digits as a file holds them, and in other units."""
    return tuple(f"{shown:.12f}"[:8] for shown in (value, 1000 * value, value / 60))


def _fields(value: Any, path: str = "") -> Iterator[str]:
    """Every field of a JSON value that holds something, by its path."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _fields(item, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for item in value:
            yield from _fields(item, path)
    elif value is not None:
        yield path


def _verdict_scores(portal: Portal, operator: Actor, submission_id: str) -> list[Score]:
    verdict = submissions.find(portal.storage, operator, submission_id).verdict
    assert verdict is not None
    assert verdict.submission is not None
    return [run.score for run in verdict.runs if run.score is not None]


def test_no_public_file_tells_times_tokens_or_idle_power(
    portal: Portal, submitter: Actor, operator: Actor, unusual: Evidence, tmp_path: Path
) -> None:
    want_site(portal, "a test")
    assert build_site(portal)
    empty = _public(portal)
    hidden = accept(portal, operator, submitter, _packed(tmp_path / "hidden", unusual, "confidential", HIDDEN, 1.0371))
    assert hidden.verdict is not None
    assert publish_pending(portal) == 2
    assert build_site(portal)
    public = {path: text for path, text in _public(portal).items() if empty.get(path) != text}
    assert any(path.endswith(".parquet") for path in public)
    assert any(path.endswith("results.jsonl.gz") for path in public)
    assert any(path.endswith(".svg") for path in public)
    # The operators have all of it.
    scores = _verdict_scores(portal, operator, hidden.id)
    assert [score.task for score in scores] == ["text_generation", "reasoning"]
    for score in scores:
        assert score.comparable
        # Nor more digits of an energy than are public, nor the hour.
        exact = [*_exact(score), score.provenance.created_utc]
        assert not {(path, digits) for digits in exact for path, text in public.items() if digits in text}
        told = {
            (path, what, form)
            for what, forms in _secrets(score).items()
            for form in forms
            for path, text in public.items()
            if form in text
        }
        assert not told
    page = public[f"site/models/{model_slug(HIDDEN)}.html"]
    assert page.count(NOTE) == 2
    for words in ("Time of a repeat", ">Time<", "tokens in a repeat", "tick", "Precision"):
        assert words not in page, words
    # With an official star all the same, by figures that are those of the verdict.
    results = {result.task: result for result in results_of(portal)}
    assert all(result.comparable and result.confidential for result in results.values())
    for score in scores:
        result = results[score.task]
        assert result.energy_kwh == pytest.approx(score.energy_kwh, rel=1e-5)
        assert result.wh_per_1000_queries == pytest.approx(score.wh_per_1000_queries, rel=1e-5)
        assert [phase.energy_kwh for phase in result.phases] == [
            None if phase.energy_wh is None else pytest.approx(phase.energy_wh / 1000, rel=1e-5)
            for phase in score.phases
        ]
        assert (result.duration_s, result.output_tokens) == (None, None)
    assert results["text_generation"].wh_per_1000_output_tokens is None
    assert results["reasoning"].wh_per_1000_output_tokens is not None
    assert "of 5 stars" in page


def test_an_open_one_has_them(
    portal: Portal, submitter: Actor, operator: Actor, unusual: Evidence, tmp_path: Path
) -> None:
    taken = accept(portal, operator, submitter, _packed(tmp_path, unusual, "open", OPEN, 1.0371))
    assert publish_pending(portal) == 2
    assert build_site(portal)
    public = _public(portal)
    by_kind = {kind: "".join(text for path, text in public.items() if path.endswith(kind))
               for kind in (".json", ".jsonl.gz", ".parquet")}  # fmt: skip
    for score in _verdict_scores(portal, operator, taken.id):
        found = _secrets(score)
        for what in ("repeat 0", "generate", "idle power", "net"):
            assert found[what][0] in by_kind[".json"], what
            assert found[what][0] in by_kind[".jsonl.gz"], what
    assert str(OUTPUT_TOKENS) in by_kind[".json"]
    assert str(OUTPUT_TOKENS) in by_kind[".parquet"]
    page = public[f"site/models/{model_slug(OPEN)}.html"]
    assert NOTE not in page
    assert "Time of a repeat" in page
    assert "tokens in a repeat" in page
    assert not any(result.confidential for result in results_of(portal))


def test_a_field_of_a_published_file_is_one_of_those_that_may_be(
    portal: Portal, submitter: Actor, operator: Actor, unusual: Evidence, tmp_path: Path
) -> None:
    accept(portal, operator, submitter, _packed(tmp_path, unusual, "confidential", HIDDEN, 1.0371))
    publish_pending(portal)
    for path in portal.settings.results.glob("*/*.json"):
        known = set(_fields(json.loads(path.read_bytes())))
        strange = {
            name for name in known if re.search("duration|token|power|idle|net|dtype|revision|param|files", name)
        }
        assert strange <= {
            "conditions.new_tokens", "conditions.max_new_tokens", "wh_per_1000_output_tokens",
            "score.conditions.new_tokens", "score.conditions.max_new_tokens", "score.wh_per_1000_output_tokens",
        }  # fmt: skip


def test_what_was_handed_in_confidentially_is_known_again(
    portal: Portal, submitter: Actor, operator: Actor, unusual: Evidence, tmp_path: Path
) -> None:
    accept(portal, operator, submitter, _packed(tmp_path / "one", unusual, "confidential", HIDDEN, 1.0371))
    publish_pending(portal)
    again = hand_in(portal, submitter, _packed(tmp_path / "two", unusual, "open", OPEN, 1.0371))
    assert check_one(portal)
    verdict = submissions.find(portal.storage, operator, again.id).verdict
    assert verdict is not None
    assert codes(verdict) == {"replayed"}
    # Its result and its submission are one measurement, and are named once for each run.
    assert len([reason for reason in verdict.reasons if reason.code == "replayed"]) == 2
    # By the results alone too, as one knows it who has no more than what is public.
    known = submission.terms_for(FEBRUARY_2025, results=[terms.known(result) for result in results_of(portal)])
    verdict = judge(_packed(tmp_path / "three", unusual, "open", OPEN, 1.0371), earlier=known.earlier)
    assert codes(verdict) == {"replayed"}
