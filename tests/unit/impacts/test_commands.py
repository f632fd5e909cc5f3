"""`scorekit impact` and `scorekit calculate` as a user meets them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from scorekit import cli
from scorekit.impacts import ecologits_package
from tests.golden import make

GOLDEN = Path(make.__file__).parent
RUN = str(GOLDEN / "generate_h100_counter")


def test_impact_prints_each_figure_with_unit_factor_edition_and_source(capsys: pytest.CaptureFixture[str]) -> None:
    text = _out(capsys, "impact", "--energy-wh", "35", "--zone", "FRA", "--mix", "ecologits-0.8")
    lines = text.splitlines()
    assert lines[0] == "35.00 Wh in France (FRA)"
    assert _cells(lines, "global warming potential")[1:] == ["2.803", "g CO2eq", "0.0800844", "kgCO2eq", "zone's own"]
    assert _cells(lines, "primary energy")[1:3] == ["0.3260", "MJ"]
    assert _cells(lines, "abiotic depletion")[1:3] == ["1.700", "ug Sbeq"]
    for told in ("mix ecologits-0.8: ecologits 0.8.2", "PUE: not counted", "not counted: cpu, ram, network, storage"):
        assert told in text
    assert "given" in text
    assert text.isascii()


def test_the_table_of_terms_has_every_term_the_sum_the_pue_and_the_energy(capsys: pytest.CaptureFixture[str]) -> None:
    given = ("--energy-wh", "35", "--cpu-wh", "5", "--pue", "1.5")
    lines = _out(capsys, "impact", *given, "--zone", "FRA", "--mix", "ecologits-0.8").splitlines()
    assert _cells(lines, "given") == ["given", "35.00", "Wh", "given"]
    assert _cells(lines, "cpu") == ["cpu", "5.000", "Wh", "given"]
    assert _cells(lines, "ram") == ["ram", "-", "Wh", "not counted"]
    assert _cells(lines, "sum") == ["sum", "40.00", "Wh"]
    assert _cells(lines, "PUE") == ["PUE", "1.5", "times the sum"]
    assert _cells(lines, "energy") == ["energy", "60.00", "Wh"]


def test_a_calculation_tells_its_terms_and_its_pue(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("--model", "gpt-4o", "--text", "small_conversation", "--zone", "FRA", "--method", "ecologits-0.8")
    lines = _out(capsys, "calculate", *arguments).splitlines()
    found = _json(capsys, "calculate", *arguments)["footprint"]
    gpu, server = (_cells(lines, name) for name in ("gpu", "server"))
    assert [term["name"] for term in found["terms"]] == ["gpu", "server"]
    assert gpu[2:] == server[2:] == ["Wh", "estimated"]
    assert _cells(lines, "PUE") == ["PUE", "1.2", "times the sum"]
    assert _cells(lines, "energy") == ["energy", "35.0", "Wh"]
    product = sum(term["energy_wh"]["low"] for term in found["terms"]) * 1.2
    assert product == pytest.approx(35.0, abs=0.05)


def test_a_pue_that_is_not_known_stands_in_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    lines = _out(capsys, "impact", "--energy-wh", "35", "--zone", "FRA", "--mix", "ecologits-0.8").splitlines()
    assert _cells(lines, "PUE") == ["PUE", "-", "times the sum", "not counted"]


def test_impact_as_json_adds_terms_and_the_pue(capsys: pytest.CaptureFixture[str]) -> None:
    found = _json(
        capsys, "impact", "--energy-wh", "35", "--zone", "Zambia", "--mix", "ecologits-0.8", "--pue", "1.5",
        "--cpu-wh", "3", "--ram-wh", "1", "--network-wh", "0.5", "--storage-wh", "0.5", "--site-water", "1",
    )  # fmt: skip
    assert found["schema_version"] == "scorekit.footprint/1"
    assert found["energy_wh"] == {"low": 60.0, "high": 60.0}
    assert [term["name"] for term in found["terms"]] == ["given", "cpu", "ram", "network", "storage"]
    assert found["not_counted"] == []
    assert found["mix"]["version"] == "0.8.2"


def test_a_zone_without_own_data_shows_no_value_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    text = _out(capsys, "impact", "--energy-wh", "35", "--zone", "ABW")
    assert _cells(text.splitlines(), "water consumption")[1:4] == ["no own data", "L", "-"]
    flat = " ".join(text.split())
    assert "water consumption: Aruba has no figure" in flat
    assert "with the world's factor it would be 0.1368 L" in flat
    assert flat.count("look wrong") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--energy-wh", "nan", "--zone", "FRA"], "the given energy is nan Wh"),
        (["--energy-wh", "-1", "--zone", "FRA"], "expected a positive number"),
        (["--energy-wh", "0", "--zone", "FRA"], "expected a positive number"),
        (["--energy-wh", "1", "--cpu-wh", "-1", "--zone", "FRA"], "the energy of cpu is -1 Wh"),
        (["--energy-wh", "1e29", "--pue", "100", "--zone", "FRB"], "there is no zone 'FRB'"),
        (["--energy-wh", "1", "--zone", "Frence"], "did you mean 'France'?"),
        (["--energy-wh", "1", "--zone", "DEU", "--mix", "ecologits-0.8"], "valid: WOR, EEE, FRA, ZAF, ZMB, ZWE"),
        (["--energy-wh", "1", "--zone", "FRA", "--pue", "0.9"], "the PUE is 0.9"),
        (["--energy-wh", "1", "--zone", "FRA", "--pue", "nan"], "the PUE is nan"),
        (["--energy-wh", "1", "--zone", "FRA", "--site-water", "-1"], "the site's water"),
        (["--energy-wh", "1", "--zone", "FRA", "--mix", "ecologits-0.12.0"], "is installed; valid: "),
        (["--energy-wh", "1", "--zone", "FRA", "--mix", "ecologts-0.8"], "did you mean 'ecologits-0.8'?"),
        (["--zone", "FRA"], "--energy-wh is missing"),
        (["--energy-wh", "1"], "--zone is missing"),
        (["--energy-wh", "many"], "invalid float value"),
    ],
)
def test_impact_says_what_is_wrong(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["impact", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert message in captured.err
    assert "mend: " in captured.err


def test_calculate_gives_the_studys_row(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("--model", "gpt-4o", "--text", "small_conversation", "--zone", "FRA", "--method", "ecologits-0.8")
    text = _out(capsys, "calculate", *arguments)
    assert text.startswith("gpt-4o, 400 output tokens (small_conversation): 35.0 Wh, estimated, in France (FRA)\n")
    assert _cells(text.splitlines(), "global warming potential")[1] == "2.803"
    assert "method ecologits-0.8: " in text
    assert "mix ecologits-0.8: " in text
    # 0.8's energy in a zone that its mix has not, by another edition's: both are named.
    found = _json(capsys, "calculate", *arguments[:-3], "DEU", *arguments[-2:], "--mix", "ecologits")
    assert (found["method"], found["footprint"]["mix"]["name"]) == (
        "ecologits-0.8",
        f"ecologits-{ecologits_package.version()}",
    )


def test_calculate_by_the_current_method_is_a_range(capsys: pytest.CaptureFixture[str]) -> None:
    text = _out(capsys, "calculate", "--model", "gpt-4o", "--tokens", "400", "--zone", "USA")
    assert text.startswith("gpt-4o, 400 output tokens: 0.5789 to 0.9637 Wh, estimated, in United States (USA)\n")


def test_calculate_takes_a_result(capsys: pytest.CaptureFixture[str]) -> None:
    text = _out(capsys, "calculate", "--result", RUN, "--queries", "1000", "--zone", "FRA")
    assert text.startswith("example/model-1b, 1,000 queries: 7.524 to 7.676 Wh, measured, in France (FRA)\n")
    found = _json(capsys, "calculate", "--method", "measured", "--result", RUN, "--text", "tweet", "--zone", "FRA")
    assert (found["basis"], found["amount"], found["text"]) == ("output tokens", 50, "tweet")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--model", "gpt-4oo", "--text", "tweet", "--zone", "FRA"], 2, "did you mean 'gpt-4o'?"),
        (["--model", "gpt-4o", "--text", "twet", "--zone", "FRA"], 2, "did you mean 'tweet'?"),
        (["--model", "gpt-4o", "--tokens", "0", "--zone", "FRA"], 2, "expected a positive number"),
        (["--model", "gpt-4o", "--tokens", "nan", "--zone", "FRA"], 2, "expected a positive number"),
        (["--model", "gpt-4o", "--zone", "FRA"], 2, "the length of the answer is missing"),
        (["--model", "gpt-4o", "--text", "tweet"], 2, "--zone is missing"),
        (["--text", "tweet", "--zone", "FRA"], 2, "--model is missing"),
        (["--model", "gpt-4o", "--text", "tweet", "--zone", "FRA", "--method", "ecologits-0.7"], 2, "valid: "),
        (["--model", "gpt-4o", "--text", "tweet", "--zone", "FRA", "--pue", "1.1"], 2, "--pue goes with --result only"),
        (["--model", "gpt-4o", "--queries", "3", "--zone", "FRA"], 2, "--queries goes with --result only"),
        (["--method", "measured", "--text", "tweet", "--zone", "FRA"], 2, "--result is missing"),
        (["--result", RUN, "--model", "x", "--queries", "1", "--zone", "FRA"], 2, "name two models"),
        (["--result", RUN, "--queries", "1", "--zone", "FRA", "--method", "ecologits"], 2, "goes with the method"),
        (["--result", RUN, "--text", "tweet", "--tokens", "1", "--zone", "FRA"], 2, "not allowed with"),
        (["--result", str(GOLDEN / "zero_repeat"), "--queries", "1", "--zone", "FRA"], 3, "energy_positive"),
        (["--result", str(GOLDEN), "--queries", "1", "--zone", "FRA"], 1, "expected one"),
        (["--result", "nowhere", "--queries", "1", "--zone", "FRA"], 1, "nowhere"),
    ],
)
def test_calculate_says_what_is_wrong(
    arguments: list[str], code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["calculate", *arguments]) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert message in captured.err


def test_lists(capsys: pytest.CaptureFixture[str]) -> None:
    assert _out(capsys, "impact", "--list-zones").count("\n") > 215
    assert len(_json(capsys, "impact", "--list-zones")["zones"]) == 215
    assert len(_json(capsys, "calculate", "--list-zones", "--method", "ecologits-0.8")["zones"]) == 6
    assert [mix["name"] for mix in _json(capsys, "impact", "--list-mixes")][1:] == ["ecologits-0.8", "ai-energy-score"]
    assert "ai-energy-score" in _out(capsys, "impact", "--list-mixes")
    assert len(_json(capsys, "calculate", "--list-models")) > 300
    assert "a guess" in _out(capsys, "calculate", "--list-models", "--method", "ecologits-0.8")
    assert [text["tokens"] for text in _json(capsys, "calculate", "--list-texts")] == [1, 50, 170, 250, 400, 5000]
    assert "five_page_report" in _out(capsys, "calculate", "--list-texts")
    assert _json(capsys, "calculate", "--list-methods")[-1]["name"] == "measured"
    assert "measured" in _out(capsys, "calculate", "--list-methods")


def test_without_ecologits_the_install_line_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ecologits_package, "version", lambda: None)
    assert cli.main(["impact", "--energy-wh", "1", "--zone", "FRA"]) == 2
    assert 'pip install -c constraints.txt -e ".[impact]"' in capsys.readouterr().err
    assert cli.main(["impact", "--energy-wh", "1", "--zone", "FRA", "--mix", "ecologits-0.8"]) == 0


def _out(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert cli.main(list(arguments)) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


def _json(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    return json.loads(_out(capsys, *arguments, "--json"))


def _cells(lines: list[str], title: str) -> list[str]:
    """The cells of the first row that begins so."""
    row = next(line for line in lines if line.startswith(title))
    return [cell.strip() for cell in row.split("  ") if cell.strip()]
