"""Hypothesis strategies for what scorekit reads and computes with."""

from __future__ import annotations

from hypothesis import strategies as st

from scorekit.records import Score, Window
from scorekit.scales import EQUAL_WIDTH, RULES, Scale
from tests.bundles import local_score, reading, window

energies_wh = st.floats(min_value=1e-6, max_value=1e6, allow_nan=False, allow_infinity=False)
"""Energies that a model may spend on 1,000 queries, from a word embedding to a video."""

impossible_energies_wh = st.one_of(
    st.floats(max_value=0.0, allow_nan=False),
    st.sampled_from([float("nan"), float("inf"), float("-inf"), -0.0]),
)
"""Energies that no run can have spent."""


def equal_width(lowest_wh: float, highest_wh: float) -> Scale:
    """The scale of a cohort by the official rule, which asks for no other energies than these."""
    return RULES[EQUAL_WIDTH].scale((lowest_wh, highest_wh))


@st.composite
def scales(draw: st.DrawFn) -> Scale:
    """Scales with enough width to be told apart from rounding."""
    low = draw(energies_wh)
    factor = draw(st.floats(min_value=1.0001, max_value=1e4))
    return equal_width(low, low * factor)


@st.composite
def cpu_runs(draw: st.DrawFn, max_repeats: int = 5) -> list[Window]:
    """The windows of a run on a CPU in which the model answers in one forward pass; every energy is true."""
    windows = []
    for repeat in range(draw(st.integers(1, max_repeats))):
        for phase in ("preprocess", "forward"):
            readings = [reading(part, draw(energies_wh)) for part in ("cpu", "ram")]
            windows.append(window(phase, repeat, readings, samples=20))
    return windows


@st.composite
def local_scores(draw: st.DrawFn) -> list[Score]:
    """Scores measured under the conditions of one local cohort, some of them of the same model."""
    models = draw(st.lists(st.sampled_from(["one", "two", "three", "four"]), min_size=1, max_size=8))
    return [local_score(model, draw(energies_wh)) for model in models]
