"""What a distribution beside scorekit brings: found by entry points, used by name, refused plainly, never official."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from scorekit import cli, doctor, logs, plugins, scales, tasks
from scorekit.editions import FEBRUARY_2025
from scorekit.errors import LogError, PluginError, UsageError
from scorekit.logs import formats
from scorekit.logs.places import Place
from scorekit.measure import meters
from scorekit.measure.meters import MeterRequest
from scorekit.rating import rate_scores
from tests import plugin
from tests.bundles import official_score

PAGE = Path(__file__).parents[2] / "docs" / "extending.md"
EXAMPLE = "scorekit-example-plugin 0.1.0"
(TALLY_TEXT,) = re.findall(r"```json\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
TALLY = json.loads(TALLY_TEXT)
"""36 kJ are 10 Wh, of 200 queries: 50 Wh per 1,000."""


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The distribution of docs/extending.md is installed."""
    plugin.forget()
    plugin.install_example(tmp_path / "site", monkeypatch)
    yield
    plugin.forget()


@pytest.fixture(autouse=True)
def untold(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing has been told of a plugin yet."""
    monkeypatch.setattr(plugins, "_warned", set())


def tally(folder: Path, name: str = "tally.json", **changes: Any) -> Path:
    path = folder / name
    path.write_text(json.dumps({**TALLY, **changes}), encoding="utf-8")
    return path


def test_the_page_walks_the_code_of_the_example() -> None:
    blocks = re.findall(r"`(examples/[^`]*)`:\n\n```\w+\n(.*?)```\n", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    root = plugin.EXAMPLE.parents[1]
    walked = dict(blocks)
    assert walked == {name: (root / name).read_text(encoding="utf-8") for name in walked}
    modules = {path.name for path in (plugin.EXAMPLE / "src" / plugin.PACKAGE).glob("*.py")}
    assert {Path(name).name for name in walked} == (modules - {"__init__.py"}) | {"pyproject.toml"}


def test_names_are_known_before_anything_is_imported(example: None) -> None:
    found = [registry.plugin_names() for registry in _registries()]
    assert found == [["code_completion"], ["gpu_tally"], ["cpu_time"], ["root_width"]]
    assert {str(registry.origin(name)) for registry, (name,) in zip(_registries(), found, strict=True)} == {EXAMPLE}
    assert meters.REGISTRY.find("codecarbon") is not None
    assert scales.find_any_rule("log_width").brought_by is None
    assert plugin.imported() == set()


def _registries() -> tuple[plugins.Registry[Any], ...]:
    return (tasks.REGISTRY, formats.REGISTRY, meters.REGISTRY, scales.REGISTRY)


def test_doctor_and_tasks_list_what_plugins_bring(example: None, capsys: pytest.CaptureFixture[str]) -> None:
    found = doctor.find_plugins()
    assert [(one.kind, one.name, one.problem) for one in found] == [
        ("task", "code_completion", None),
        ("log reader", "gpu_tally", None),
        ("meter", "cpu_time", None),
        ("rating rule", "root_width", None),
    ]
    assert {f"{one.distribution} {one.version}" for one in found} == {EXAMPLE}
    assert cli.main(["tasks"]) == 0
    assert EXAMPLE in capsys.readouterr().out
    assert cli.main(["tasks", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in rows] == [*tasks.TASKS, "code_completion"]
    assert (rows[-1]["cohort"], rows[-1]["brought_by"]) == ("code_completion", EXAMPLE)


# the log reader


def test_a_foreign_log_is_parsed(example: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["parse", str(tally(tmp_path)), "--json"]) == 0
    (result,) = json.loads(capsys.readouterr().out)
    assert (result["source"]["format"], result["model"], result["task"]) == (
        "gpu-tally/1",
        "org/model",
        "text_generation",
    )
    assert result["wh_per_1000_queries"] == pytest.approx(50)
    assert (result["comparable"], result["unknown"]) == (False, [])


def test_a_bad_log_is_told_by_its_field(example: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["parse", str(tally(tmp_path, gpu_joules="many")), "--json"]) == 1
    assert "tally.json: gpu_joules: expected a number, found 'many'" in capsys.readouterr().err
    assert cli.main(["parse", str(tally(tmp_path, queries=0)), "--json"]) == 1
    assert "tally.json: queries: expected a number of queries, found 0" in capsys.readouterr().err
    # What the reader lets through, the record refuses.
    assert cli.main(["parse", str(tally(tmp_path, gpus=-1)), "--json"]) == 1
    err = capsys.readouterr().err
    assert f"the log reader 'gpu_tally' of {EXAMPLE} makes no result of it: gpu_count: Input should be greater" in err


READER = """
from scorekit.logs import Reader
from scorekit.logs.foreign.results import Energies, Facts, foreign_result
from scorekit.records import Source

def source(form):
    return Source(name="log", format=form, files={}, scorekit_version="0")

def other(place):
    yield foreign_result(source("codecarbon-csv/1"), Facts(), Energies(None))

def scored(place):
    made = foreign_result(source("odd_log/1".replace("_", "-")), Facts(), Energies(None))
    yield made.model_copy(update={"comparable": True})

def wrong(place):
    raise KeyError("column")

def late(place):
    return 1 / 0

def known(place):
    return place.head.startswith(b"odd")
"""


@pytest.mark.parametrize(
    ("read", "told"),
    [
        ("wrong", "failed: KeyError: 'column'"),
        ("other", "it gives a result of format 'codecarbon-csv/1', expected 'odd-log/1'"),
        ("scored", "as only scorekit's own runs are"),
        ("lambda place: [None]", "expected a scorekit.records.result.Result, found a NoneType"),
    ],
)
def test_a_reader_that_breaks_its_contract_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read: str, told: str
) -> None:
    source = f"{READER}\nREADER = Reader('odd-log/1', 'an odd log', known, {read})\n"
    plugin.install(
        tmp_path / "site", monkeypatch, "odd", {"scorekit.log_readers": {"odd_log": "odd_a:READER"}}, {"odd_a": source}
    )
    (tmp_path / "x.txt").write_text("odd", encoding="utf-8")
    place = Place.of_file(tmp_path / "x.txt")
    reader = formats.reader_of(place)
    assert reader is not None
    with pytest.raises(LogError, match=r"x\.txt: the log reader 'odd_log' of odd 0\.1\.0 failed") as caught:
        list(reader.read(place))
    assert told in caught.value.message
    assert caught.value.mend == "leave the log out, or pip install --upgrade odd"


def test_a_reader_that_cannot_tell_hides_no_log_from_the_others(
    example: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source = f"{READER}\nREADER = Reader('a-log/1', 'a log', late, wrong)\n"
    plugin.install(
        tmp_path / "more", monkeypatch, "late", {"scorekit.log_readers": {"a_log": "odd_b:READER"}}, {"odd_b": source}
    )
    found = list(logs.read_logs([tally(tmp_path), tally(tmp_path, "again.json")]))
    assert [type(one).__name__ for one in found] == ["Result", "Result"]
    err = capsys.readouterr().err
    assert err.count("warning: the log reader 'a_log' of late 0.1.0 failed: ZeroDivisionError") == 1


# the rule


def test_a_rule_of_a_plugin_rates_and_is_never_official(
    example: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    energies_j = {"a": 1e4, "b": 4e4, "c": 9e4}
    paths = [
        tally(tmp_path, f"{model}.json", model=f"org/{model}", task="summarization", gpu_joules=energy_j)
        for model, energy_j in energies_j.items()
    ]
    command = ["rate", *map(str, paths), "--edition", "local", "--rule", "root_width"]
    assert cli.main([*command, "--json"]) == 0
    ratings = json.loads(capsys.readouterr().out)
    assert [(one["stars"], one["official"], one["rule"]) for one in ratings] == [
        (5, False, "root_width"),
        (3, False, "root_width"),
        (1, False, "root_width"),
    ]
    assert {reason["message"] for one in ratings for reason in one["no_official_star_because"]} == {
        f"the rule root_width is that of {EXAMPLE}, and no edition's"
    }
    assert cli.main(command) == 0
    assert f"Rule root_width, of {EXAMPLE}: five parts" in " ".join(capsys.readouterr().out.split())


def test_a_comparable_score_has_no_official_star_by_a_plugin(example: None) -> None:
    (by_own,) = rate_scores([official_score()], FEBRUARY_2025)
    (by_plugin,) = rate_scores([official_score()], FEBRUARY_2025, "root_width")
    assert (by_own.official, by_plugin.official) == (True, False)
    assert by_plugin.stars is not None
    assert [reason.code for reason in by_plugin.no_official_star_because] == ["rule"]


def test_an_edition_has_no_rule_of_a_plugin(example: None) -> None:
    with pytest.raises(
        UsageError, match=f"'root_width' is that of {EXAMPLE}, and an edition has one of scorekit's own"
    ):
        scales.find_rule("root_width")


@pytest.mark.parametrize(
    ("made", "told"),
    [
        ("1 / 0", "failed: ZeroDivisionError: division by zero"),
        ("(1, 2, 3)", "failed: ValueError: not enough values"),
        ("(9, 8, 7, 6)", "made the bounds 9, 8, 7, 6; expected"),
        ("(rising[0], 8, 9, 10)", "made the bounds 1, 8, 9, 10; expected"),
        ("(2, 3, 4, float('nan'))", "made the bounds 2, 3, 4, nan; expected"),
    ],
)
def test_a_rule_that_makes_no_bounds_gives_no_star(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: str, told: str
) -> None:
    source = f"from scorekit.scales import Rule\nRULE = Rule('odd', 'odd', True, lambda rising: {made})\n"
    plugin.install(
        tmp_path, monkeypatch, "odd-rule", {"scorekit.rating_rules": {"odd": "odd_c:RULE"}}, {"odd_c": source}
    )
    with pytest.raises(Exception, match=r"the rule odd of odd-rule 0\.1\.0") as caught:
        scales.find_any_rule("odd").scale([1.0, 5.0, 20.0])
    assert told in str(caught.value)
    scores = [official_score("a/a", 1.0), official_score("b/b", 9.0)]
    assert [one.stars for one in rate_scores(scores, None, "odd")] == [None, None]


# the task


def test_a_task_of_a_plugin_is_none_of_the_protocol(example: None) -> None:
    with pytest.raises(UsageError, match=f"'code_completion' is that of {EXAMPLE}, and none of the protocol's"):
        tasks.find("code_completion")
    assert tasks.config_name("code_completion") == "code_completion"
    assert tasks.config_name("asr") == "automatic_speech_recognition"
    assert tasks.protocol_of("code_completion") != tasks.PROTOCOL == tasks.protocol_of("summarization")


@pytest.mark.parametrize("name", ["asr", "serving", "../up", "Capital", "", None])
def test_no_unknown_task_slips_into_a_cohort(name: str | None) -> None:
    assert tasks.cohort_of(name) is None
    assert tasks.cohort_of("automatic_speech_recognition") == "asr"
    assert tasks.cohort_of("code_completion") == "code_completion"


# the meter

METER = """
from scorekit.measure.meters import MeterDevice
from scorekit.records import MeterReading

class Odd:
    name = "odd"
    said, device = "odd", "cpu"
    def __init__(self, request): pass
    def devices(self): return (MeterDevice("cpu", "cpu"),)
    def open(self, window): pass
    def close(self): pass
    def readings(self):
        return (MeterReading(meter=self.said, component="cpu", device=self.device, energy_wh=1.0, origin="measured"),)
    def trace(self): return ("not asked",)
    def stop(self): pass
"""


def odd_meter(folder: Path, monkeypatch: pytest.MonkeyPatch, module: str, body: str) -> meters.Meter:
    points = {"scorekit.meters": {"odd": f"{module}:Mine"}}
    plugin.install(
        folder / "site", monkeypatch, "odd-meter", points, {module: f"{METER}\nclass Mine(Odd):\n    {body}\n"}
    )
    assert meters.resolve(["codecarbon", "odd"], gpus=False) == ("codecarbon", "odd")
    (meter,) = meters.start(["odd"], MeterRequest((), "USA", folder))
    return meter


def test_a_meter_of_a_plugin_reads_under_its_own_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    meter = odd_meter(tmp_path, monkeypatch, "odd_d", "pass")
    meter.open("generate")
    meter.close()
    assert [(found.meter, found.energy_wh) for found in meter.readings()] == [("odd", 1.0)]
    # power.parquet is evidence, and holds what scorekit's own meters sampled.
    assert meter.trace() == ()
    assert not isinstance(meter, meters.Aligning)
    meter.stop()


@pytest.mark.parametrize(
    ("module", "body", "told"),
    [
        ("odd_e", "said = 'nvml'", "gives a reading as one by 'nvml'"),
        ("odd_f", "device = 'GPU-1'", "reads 'GPU-1', which devices() does not name"),
        ("odd_g", "def readings(self): return (1,)", "gives a int for a reading"),
        ("odd_h", "def readings(self): return {}['gone']", "failed: KeyError: 'gone'"),
        ("odd_m", "def readings(self): return None", "failed: TypeError: 'NoneType'"),
        ("odd_n", "def devices(self): return ('cpu',)", "gives a str for a device"),
    ],
)
def test_a_meter_that_breaks_its_contract_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str, body: str, told: str
) -> None:
    meter = odd_meter(tmp_path, monkeypatch, module, body)
    with pytest.raises(PluginError, match=r"the meter 'odd' of odd-meter 0\.1\.0 ") as caught:
        meter.readings()
    assert told in caught.value.message
    assert "leave it out of scenario.meters" in (caught.value.mend or "")


def test_a_meter_by_another_name_does_not_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PluginError, match="calls itself 'nvml'"):
        odd_meter(tmp_path, monkeypatch, "odd_i", "name = 'nvml'")


def test_a_meter_without_a_method_does_not_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PluginError, match="lacks a method"):
        odd_meter(tmp_path, monkeypatch, "odd_o", "stop = property()")


def test_a_reader_with_no_format_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = "from scorekit.logs import Reader\nREADER = Reader(None, 'x', lambda place: True, lambda place: ())\n"
    points = {"scorekit.log_readers": {"none_log": "odd_p:READER"}}
    plugin.install(tmp_path / "site", monkeypatch, "none", points, {"odd_p": source})
    (found,) = formats.REGISTRY.listed()
    assert found.fault is not None
    assert "is refused: AttributeError" in found.fault.message


def test_a_meter_that_is_nowhere_is_refused_with_those_of_plugins(example: None) -> None:
    with pytest.raises(UsageError, match=r"there is no meter 'cpu_tme'; valid: .*, cpu_time") as caught:
        meters.resolve(["cpu_tme"], gpus=False)
    assert caught.value.mend == "scenario.meters=[cpu_time]"


# what cannot be used at all

BROKEN = {
    "gone": ("no_such_module_at_all:THING", "cannot be loaded from no_such_module_at_all:THING: ModuleNotFoundError"),
    "exits": ("odd_j:THING", "cannot be loaded from odd_j:THING: SystemExit: bye"),
    "number": ("odd_k:NUMBER", "(odd_k:NUMBER) is refused: expected a scorekit.scales.Rule, found a int"),
    "renamed": ("odd_k:RULE", "is refused: it calls itself 'other', expected the name of its entry point"),
    "Capital": ("odd_k:RULE", "has no name that can be used: expected small letters, digits and underscores"),
    "log_width": ("odd_k:RULE", "has a name of scorekit's own, which stays scorekit's"),
    "twice": ("odd_k:RULE", "is brought twice, and neither is taken"),
}
SOURCES = {
    "odd_j": "raise SystemExit('bye')",
    "odd_k": "from scorekit.scales import Rule\nNUMBER = 1\nRULE = Rule('other', 'x', True, lambda rising: rising)\n",
}


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mapping[str, tuple[str, str]]:
    points = {name: value for name, (value, _) in BROKEN.items()}
    plugin.install(tmp_path / "one", monkeypatch, "one", {"scorekit.rating_rules": points}, SOURCES)
    plugin.install(tmp_path / "two", monkeypatch, "two", {"scorekit.rating_rules": {"twice": "odd_k:RULE"}})
    return BROKEN


def test_the_doctor_tells_what_is_wrong_with_each(broken: Mapping[str, tuple[str, str]]) -> None:
    found = doctor.find_plugins()
    assert sorted(one.name for one in found) == sorted([*broken, "twice"])
    for one in found:
        assert one.problem is not None
        assert broken[one.name][1] in one.problem
        assert f"'{one.name}' of " in one.problem
        assert "pip uninstall" in (one.mend or "")
    (shared, _) = [one for one in found if one.name == "twice"]
    assert "of two 0.1.0 and one 0.1.0" in (shared.problem or "")


def test_what_is_broken_fails_by_its_own_name_alone(broken: Mapping[str, tuple[str, str]]) -> None:
    assert scales.find_any_rule("log_width") is scales.RULES["log_width"]
    assert [one.stars for one in rate_scores([official_score()], FEBRUARY_2025)] != [None]
    with pytest.raises(PluginError, match="cannot be loaded"):
        scales.find_any_rule("gone")
    with pytest.raises(UsageError, match=r"there is no rule 'gon'; valid: .*, gone"):
        scales.find_any_rule("gon")


def test_everything_of_a_kind_leaves_the_broken_out_and_tells_once(
    broken: Mapping[str, tuple[str, str]], example: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert [rule.name for rule in scales.REGISTRY.plugins()] == ["root_width"]
    assert [rule.name for rule in scales.REGISTRY.plugins()] == ["root_width"]
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == len(broken)
    assert all(re.fullmatch(r"warning: the rating rule '\w+' of .*; mend: .*", line) for line in lines)


def test_one_unreadable_distribution_hides_no_other(
    example: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    info = plugin.install(tmp_path / "bad", monkeypatch, "bad", {})
    (info / "entry_points.txt").write_bytes(b"[scorekit.meters]\n\xff\xfe = x:y\n")
    assert meters.REGISTRY.plugin_names() == ["cpu_time"]
    assert "warning: the entry points of bad cannot be read: UnicodeDecodeError" in capsys.readouterr().err
