"""Stars of many energies at once, with numpy: the same stars as one by one, a million in some hundredths of a second.

    cohorts, bounds = edition_bounds(edition)
    stars = stars_of(codes, energies_wh, bounds)

where each code is the place of a cohort in `cohorts`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scorekit.editions import Cohort, Edition, scales_of
from scorekit.errors import MissingExtraError
from scorekit.scales import STARS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray


def edition_bounds(edition: Edition) -> tuple[tuple[Cohort, ...], NDArray[np.float64]]:
    """The cohorts of an edition, and their bounds.

    Returns:
        The cohorts; and an array of shape (cohorts, 4) with the rising bounds of each in Wh per 1,000 queries.

    Raises:
        MissingExtraError: numpy is not installed.
    """
    numpy = _numpy()
    scales = scales_of(edition)
    bounds = numpy.array([scale.bounds for scale in scales.values()], dtype=numpy.float64).reshape(-1, STARS - 1)
    return tuple(scales), bounds


def stars_of(codes: ArrayLike, energies_wh: ArrayLike, bounds: NDArray[np.float64]) -> NDArray[np.int8]:
    """Stars of energies, each in its cohort.

    Args:
        codes: shape (n,): for each energy the row of `bounds` that is its cohort's.
        energies_wh: shape (n,): energies in Wh per 1,000 queries.
        bounds: shape (cohorts, 4): rising bounds.

    Returns:
        Shape (n,): 5 below a cohort's first bound to 1 from its last on.

    Raises:
        MissingExtraError: numpy is not installed.
        ValueError: the shapes do not fit, a code is no row of `bounds`, or an energy is not positive and finite.
    """
    numpy = _numpy()
    where = numpy.asarray(codes)
    energy = numpy.asarray(energies_wh, dtype=numpy.float64)
    if where.ndim != 1 or where.shape != energy.shape or bounds.ndim != 2 or bounds.shape[1] != STARS - 1:
        raise ValueError(
            f"expected as many codes as energies and 4 bounds a cohort, found shapes {where.shape}, {energy.shape} "
            f"and {bounds.shape}"
        )
    if not energy.size:
        none: NDArray[np.int8] = numpy.empty(0, dtype=numpy.int8)
        return none
    if where.dtype.kind not in "iu" or where.min() < 0 or where.max() >= len(bounds):
        raise ValueError(f"expected whole numbers from 0 to {len(bounds) - 1} as codes of cohorts")
    # A NaN is neither above 0 nor below infinity, and so is the least and the largest of any array with one.
    if not (energy.min() > 0 and energy.max() < numpy.inf):
        raise ValueError("an energy that is not positive and finite cannot be rated")
    stars: NDArray[np.int8] = numpy.full(energy.shape, STARS, dtype=numpy.int8)
    for bound in numpy.ascontiguousarray(bounds.T):
        # Counting the bounds at or below each energy; one column at a time needs no array of n times 4.
        stars -= energy >= bound.take(where)
    return stars


def _numpy() -> Any:
    try:
        import numpy
    except ModuleNotFoundError as error:
        raise MissingExtraError("numpy", "data") from error
    return numpy
