"""What a run's own evidence says of its score: whether it can be true, and whether it may stand beside others.

Probes collect facts and this package judges them: every function here is pure. `judge` runs the checks of the
methodology over an `Evidence`; `not_comparable` names each way in which a run departs from the official protocol.
"""

from scorekit.validity.comparability import Measured, is_official_gpu, not_comparable, untold
from scorekit.validity.evidence import Evidence
from scorekit.validity.registry import CHECKS, OF_CODE, judge
from scorekit.validity.repeatability import star_probability
from scorekit.validity.trace import DeviceTrace, PowerTrace

__all__ = [
    "CHECKS",
    "OF_CODE",
    "DeviceTrace",
    "Evidence",
    "Measured",
    "PowerTrace",
    "is_official_gpu",
    "judge",
    "not_comparable",
    "star_probability",
    "untold",
]
