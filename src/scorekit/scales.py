"""Scales: four bounds of energy that part five stars from one, and the rules that they are made by; pure.

A rule makes the bounds from the energies of a cohort, once. From then on a star is found by the bounds alone, so that
it can be found again years later from an edition's file, whatever has become of the rule.

- `equal_width` cuts the range into five parts of one width, the lowest energy earning five stars:
  `5 - min(floor((e - min) / ((max - min) / 5)), 4)`. It reproduces every star published in February 2025.
- `rank_quintile` gives each star to a fifth of the models: `5 - min(floor(rank * 5 / n), 4)`, the rank from 0 in
  rising energy; models of one energy share the better star.
- `log_width` cuts the range of the logarithm of the energy into five parts of one width.
"""

from __future__ import annotations

import dataclasses
import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from scorekit import plugins
from scorekit.errors import RatingError, UsageError, nearest
from scorekit.plugins import Origin, Registry
from scorekit.units import NORMAL_95

STARS: Final = 5
EQUAL_WIDTH: Final = "equal_width"
RANK_QUINTILE: Final = "rank_quintile"
LOG_WIDTH: Final = "log_width"
SMALLEST_COHORT: Final = 2

Bounds = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Scale:
    """The range of a cohort, and the bounds between its stars.

    Attributes:
        lowest: the cohort's lowest energy in Wh per 1,000 queries.
        highest: its highest.
        bounds: the four bounds between five stars and one, never falling; an energy at a bound is past it.
    """

    lowest: float
    highest: float
    bounds: Bounds

    def stars(self, energy_wh: float) -> int:
        """Stars of an energy: 5 below the first bound, 1 at or past the last; never rises with the energy.

        Raises:
            ValueError: the energy is not positive and finite.
        """
        # Counting the bounds at or below the energy is the rule's floor without its division, whose rounding
        # could put an energy that equals a bound on either side of it.
        return STARS - bisect_right(self.bounds, checked(energy_wh))

    def position(self, energy_wh: float) -> float:
        """Place of an energy in the range, 0 at its lowest and 1 at its highest, and at an end outside it."""
        return min(max((checked(energy_wh) - self.lowest) / (self.highest - self.lowest), 0.0), 1.0)

    def better_below(self, energy_wh: float) -> float | None:
        """The energy below which there would be more stars; None for one that has all."""
        passed = bisect_right(self.bounds, checked(energy_wh))
        return self.bounds[passed - 1] if passed else None

    def worse_from(self, energy_wh: float) -> float | None:
        """The energy from which on there would be fewer stars; None for one that has one."""
        passed = bisect_right(self.bounds, checked(energy_wh))
        return self.bounds[passed] if passed < len(self.bounds) else None

    def probabilities(self, energy_wh: float, half_width_95_percent: float) -> tuple[float, ...]:
        """Probability of each star, from 1 to 5, by a normal distribution around an energy; bounds as they are.

        Args:
            energy_wh: the energy, positive and finite.
            half_width_95_percent: half of its 95 % interval, relative to it; with 0 its star is certain.
        """
        star = self.stars(energy_wh)
        sigma = energy_wh * half_width_95_percent / 100 / NORMAL_95
        if sigma == 0:
            return tuple(float(number == star) for number in range(1, STARS + 1))
        # Of each edge of a star the probability to lie above it; outside of the range the first and the last star
        # have no edge.
        above = [1.0, *(math.erfc((bound - energy_wh) / sigma / math.sqrt(2)) / 2 for bound in self.bounds), 0.0]
        return tuple(max(0.0, above[STARS - n] - above[STARS - n + 1]) for n in range(1, STARS + 1))

    def probability(self, energy_wh: float, half_width_95_percent: float) -> float:
        """Probability that an energy has the star that it is given; arguments as for `probabilities`."""
        star = self.stars(energy_wh)
        others = sum(
            share
            for number, share in enumerate(self.probabilities(energy_wh, half_width_95_percent), start=1)
            if number != star
        )
        # From the small ones: a star that is almost sure keeps its digits.
        return max(0.0, 1.0 - others)

    def out_of_range(self, energy_wh: float) -> Literal["below", "above"] | None:
        """On which side of the range an energy lies; None within it."""
        if checked(energy_wh) < self.lowest:
            return "below"
        return "above" if energy_wh > self.highest else None


@dataclass(frozen=True, slots=True)
class Rule:
    """How the bounds of a cohort are made.

    Attributes:
        name: as editions and ratings give it.
        description: what it does with a cohort, in a few words.
        needs_members: whether it asks for every energy of the cohort, and not only for the lowest and highest.
        bounds: makes the bounds from energies that rise from first to last, the first below the last.
        brought_by: distribution and version of a plugin, told by the registry; None for scorekit's own.
    """

    name: str
    description: str
    needs_members: bool
    bounds: Callable[[Sequence[float]], Bounds]
    brought_by: str | None = None

    def scale(self, energies_wh: Sequence[float]) -> Scale:
        """The scale of a cohort.

        Args:
            energies_wh: energies of its members in Wh per 1,000 queries; without `needs_members` the lowest and the
                highest do.

        Raises:
            RatingError: fewer than two, or all so alike that there is nothing to tell models apart by.
            ValueError: an energy is not positive and finite.
        """
        rising = sorted(map(checked, energies_wh))
        if len(rising) < SMALLEST_COHORT:
            raise RatingError(
                f"the cohort has {len(rising)} member{'' if rising else 's'}, and a cohort needs {SMALLEST_COHORT}",
                mend="rate together with models of other energies",
            )
        low, high = rising[0], rising[-1]
        bounds = self.bounds(rising) if low < high else None
        # Where a width is at the limit of what a float can tell, bounds fall together and stars would mean nothing;
        # those between ranks may, where few models or equal ones leave a star to nobody.
        if bounds is None or not (low < bounds[0] and (self.needs_members or _apart(bounds, high))):
            raise RatingError(
                f"the cohort's lowest and highest energy are the same ({low:g} Wh per 1,000 queries)",
                mend="rate together with models of other energies",
            )
        return Scale(low, high, bounds)


def checked(energy_wh: float) -> float:
    """The energy itself.

    Raises:
        ValueError: it is not positive and finite.
    """
    if not (math.isfinite(energy_wh) and energy_wh > 0):
        raise ValueError(f"an energy of {energy_wh} Wh per 1,000 queries cannot be rated: it must be positive")
    return energy_wh


def _apart(bounds: Bounds, high: float) -> bool:
    return bounds[0] < bounds[1] < bounds[2] < bounds[3] < high


def _equal_width(rising: Sequence[float]) -> Bounds:
    low, high = rising[0], rising[-1]
    width = (high - low) / STARS
    return (low + width, low + 2 * width, low + 3 * width, low + 4 * width)


def _log_width(rising: Sequence[float]) -> Bounds:
    low, high = math.log(rising[0]), math.log(rising[-1])
    width = (high - low) / STARS
    return (math.exp(low + width), math.exp(low + 2 * width), math.exp(low + 3 * width), math.exp(low + 4 * width))


def _rank_quintile(rising: Sequence[float]) -> Bounds:
    first, second, third, fourth = (_first_of_fifth(rising, number) for number in range(1, STARS))
    return (first, second, third, fourth)


def _first_of_fifth(rising: Sequence[float], number: int) -> float:
    """The lowest energy whose rank lies in that fifth (from 0) or a later one."""
    before = -(-number * len(rising) // STARS)
    # Models of one energy have one rank, that of the first of them.
    place = bisect_right(rising, rising[before - 1])
    # Where no member has so few stars, what lies above the range has.
    return rising[place] if place < len(rising) else math.nextafter(rising[-1], math.inf)


RULES: Final[dict[str, Rule]] = {
    rule.name: rule
    for rule in (
        Rule(
            EQUAL_WIDTH,
            "five parts of one width between the lowest and the highest energy of the cohort",
            needs_members=False,
            bounds=_equal_width,
        ),
        Rule(
            RANK_QUINTILE,
            "a fifth of the cohort's models for each star, by rising energy",
            needs_members=True,
            bounds=_rank_quintile,
        ),
        Rule(
            LOG_WIDTH,
            "five parts of one ratio between the lowest and the highest energy of the cohort",
            needs_members=False,
            bounds=_log_width,
        ),
    )
}
"""Every rule of scorekit's own by its name: those that an edition can have."""


def _accept(name: str, loaded: Any, origin: Origin) -> Rule:
    plugins.expect(loaded, Rule, name)
    rule: Rule = loaded

    def bounds(rising: Sequence[float]) -> Bounds:
        try:
            first, second, third, fourth = map(float, rule.bounds(rising))
        except Exception as error:
            why = f"the rule {name} of {origin} failed: {plugins.told(error)}"
            raise RatingError(why, mend=f"choose another one, e.g. --rule {EQUAL_WIDTH}") from error
        if not rising[0] < first <= second <= third <= fourth < math.inf:
            raise RatingError(
                f"the rule {name} of {origin} made the bounds {first:g}, {second:g}, {third:g}, {fourth:g}; expected "
                f"finite ones above the lowest energy ({rising[0]:g}) that never fall",
                mend=f"choose another one, e.g. --rule {EQUAL_WIDTH}",
            )
        return (first, second, third, fourth)

    return dataclasses.replace(rule, bounds=bounds, brought_by=str(origin))


REGISTRY: Final[Registry[Rule]] = Registry("scorekit.rating_rules", "rating rule", RULES, _accept)
"""scorekit's own rules, and those of plugins, by name."""


def find_rule(name: str) -> Rule:
    """scorekit's own rule of a name: one that an edition can have.

    Raises:
        UsageError: there is none; lists the valid names and the nearest.
    """
    rule = RULES.get(name)
    if rule is not None:
        return rule
    origin = REGISTRY.origin(name)
    if origin is not None:
        raise UsageError(
            f"the rule '{name}' is that of {origin}, and an edition has one of scorekit's own",
            mend=f"choose one of {', '.join(RULES)}; scorekit rate --rule {name} rates by it, never officially",
        )
    raise _no_rule(name, list(RULES))


def find_any_rule(name: str) -> Rule:
    """The rule of a name, be it a plugin's: by such a rule no star is official.

    Raises:
        UsageError: there is none; lists the valid names and the nearest.
        PluginError: the plugin that brings it cannot be used.
    """
    rule = REGISTRY.find(name)
    if rule is None:
        raise _no_rule(name, [*RULES, *REGISTRY.plugin_names()])
    return rule


def _no_rule(name: str, valid: list[str]) -> UsageError:
    close = nearest(name, valid)
    return UsageError(
        f"there is no rule '{name}'; valid: {', '.join(valid)}",
        mend=f"did you mean '{close}'?" if close else "choose one of the names above",
    )
