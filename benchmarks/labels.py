"""How quickly labels are made, beside a floor, and ends with code 1 when a goal is missed.

python -m benchmarks.labels [--quick] [--json FILE]

Each label has a model and a verification link of its own, so that nothing of it was made before.
"""

from __future__ import annotations

import datetime
import sys
from collections.abc import Callable, Sequence

import vl_convert

from benchmarks import program
from benchmarks.comparison import Comparison, Goal
from benchmarks.timing import Took, in_order, took
from scorekit.publish.label.facts import LabelFacts
from scorekit.publish.label.pictures import PRINT_SCALE, pdf, png
from scorekit.publish.label.svg import svg

_GOAL_SVG_MS = 1.0  # a thousand a second
_GOAL_PNG_MS = 100.0
_BARE_SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="260" height="364"><rect width="260" height="364"/></svg>'


def main(argv: list[str] | None = None) -> int:
    options = program.parser("labels", __doc__, "fewer runs, for CI: seconds instead of a minute").parse_args(argv)
    rounds, svgs, pictures = (7, 100, 3) if options.quick else (31, 300, 10)
    rows = measure(rounds, svgs, pictures)
    return program.conclude(rows, quick=options.quick, file=options.json)


def measure(rounds: int, svgs: int, pictures: int) -> list[Comparison]:
    """All rows; each round makes so many labels of every kind, theirs right after ours."""
    drawn = svg(facts(0))
    # A template with a place for each name and link, as long as the label.
    template = drawn.replace("{", "{{").replace("}", "}}").replace("model-0", "{name}").replace("/r/0", "/r/{number}")
    svg(facts(0, "Mod\u00e8le"))
    accented = [facts(number, "Mod\u00e8le") for number in range(rounds * svgs)]
    plain = [facts(number) for number in range(rounds * svgs)]
    kinds: list[tuple[str, str, str, Goal | None, int, Callable[[int], object], Callable[[int], object]]] = [
        (
            "svg", "label as SVG", "str.format of the same text", Goal(_GOAL_SVG_MS, on="ours"), svgs,
            lambda number: svg(plain[number]),
            lambda number: template.format(name=f"model-{number}", number=number),
        ),
        (
            "svg_accented", "SVG of a name beyond ASCII", "str.format of the same text", None, svgs,
            lambda number: svg(accented[number]),
            lambda number: template.format(name=f"model-{number}", number=number),
        ),
        (
            "png", "label as PNG, twice its size", "bare rectangle as PNG", Goal(_GOAL_PNG_MS, on="ours"), pictures,
            lambda number: png(plain[number]),
            lambda _: vl_convert.svg_to_png(_BARE_SVG, scale=PRINT_SCALE),
        ),
        (
            "pdf", "label as PDF", "bare rectangle as PDF", None, pictures,
            lambda number: pdf(plain[number]),
            lambda _: vl_convert.svg_to_pdf(_BARE_SVG),
        ),
    ]  # fmt: skip
    png(facts(0))
    mine: dict[str, list[Took]] = {key: [] for key, *_ in kinds}
    other: dict[str, list[Took]] = {key: [] for key, *_ in kinds}
    for turn in range(rounds):
        for key, _, _, _, count, ours, theirs in kinds:
            numbers = range(turn * count, (turn + 1) * count)
            for into, make in in_order(((mine, ours), (other, theirs)), turn):
                into[key].append(_each(make, numbers))
    return [
        Comparison.of_turns(key, what, reference, "ms", mine[key], other[key], goal)
        for key, what, reference, goal, *_ in kinds
    ]


def _each(make: Callable[[int], object], numbers: Sequence[int]) -> Took:
    """One of them, as the mean over all."""

    def work() -> None:
        for number in numbers:
            make(number)

    return took(work, of=len(numbers))


def facts(number: int, prefix: str = "Model") -> LabelFacts:
    """Of a label with a name and a link of its own."""
    return LabelFacts(
        kind="official",
        provider=f"provider-{number % 97}",
        name=f"{prefix}-model-{number}-8B-Instruct",
        revision="0" * 40,
        scored=datetime.date(2025, 6, 1),
        task="text_generation",
        model_class="A",
        hardware="NVIDIA H100 80GB HBM3",
        gpu_count=1,
        energy_wh_per_1000=1.5 + number * 0.00123,
        domain="gpu",
        origin="measured",
        uncertainty_percent=0.5 + number % 40 / 10,
        queries=1000,
        runs=10,
        dataset="AIEnergyScore/text_generation",
        stars=1 + number % 5,
        edition="2025-02",
        rule="equal_width",
        cohort_size=32,
        star_probability=0.99,
        borderline=False,
        out_of_range=None,
        no_star_because=None,
        reasons=(),
        link=f"https://energy.example.org/results/r/{number}",
        files={"windows.jsonl": f"{number:064x}"},
        scorekit_version="0.1.0",
    )


if __name__ == "__main__":
    sys.exit(main())
