"""Figures of text tables, each written in one way."""

from __future__ import annotations

import pytest

from scorekit.layout import Layout, each_once, joined, known, percent
from scorekit.publish import label
from scorekit.publish.label import wording
from scorekit.rating import rate_scores
from scorekit.records import Uncertainty
from scorekit.tables.stored import result_text
from tests.unit.store import records


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (0.0, "0"), (4e-5, "0.01"), (0.0099, "0.01"), (0.034, "0.03"), (0.094, "0.09"), (0.096, "0.1"), (0.63, "0.6"),
        (9.94, "9.9"), (9.96, "10"), (99.4, "99"), (99.6, "100"), (123.4, "123"), (4321.0, "4,321"), (1e6, "1,000,000"),
    ],
)  # fmt: skip
def test_half_of_an_interval_has_two_digits_and_no_exponent(value: float, told: str) -> None:
    assert percent(value) == told


def test_a_large_interval_is_told_alike_by_the_store_and_by_the_label() -> None:
    made = records.make(
        uncertainty=Uncertainty(
            terms=(), interval_95_wh_per_1000=None, half_width_95_percent=99.6, combined_95_percent=123.4,
            with_board_gain_95_percent=None, cov_percent=None, trend_percent_per_repeat=None, trend_significant=None,
            outliers=(),
        )
    )  # fmt: skip
    assert "+- 123 % (95 %)" in result_text(made, "one.json", Layout())
    assert "± 123 % (95 %)" in result_text(made, "one.json", Layout(unicode=True))
    assert wording.uncertainty(label.label_facts(rate_scores([made], None)[0], made)) == "± 123 % (95 %)"


def test_what_is_missing_is_unknown_and_leaves_no_empty_part() -> None:
    assert (known(None), known(1.23456)) == ("unknown", "1.235")
    assert joined("one", "", "two") == "one\n\ntwo"


def test_a_message_stands_once_with_what_it_holds_for() -> None:
    pairs = [("a", "odd"), ("b", "even"), ("a", "odd"), ("c", "odd")]

    def told(among: int) -> list[str]:
        return each_once("Faults:", pairs, lambda found: found, among, Layout()).splitlines()

    assert told(4) == ["Faults:", "  - odd [a, c]", "  - even [b]"]
    assert told(3) == ["Faults:", "  - odd [all 3]", "  - even [b]"]
    assert told(1) == ["Faults:", "  - odd", "  - even"]
    assert each_once("Faults:", [], lambda found: found, 4, Layout()) == ""
