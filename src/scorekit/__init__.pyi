from scorekit.api.footprints import impact as impact
from scorekit.api.loading import load as load
from scorekit.api.measure import measure as measure
from scorekit.api.measurement import Measurement as Measurement
from scorekit.api.ratings import rate as rate

__version__: str
__all__ = ["Measurement", "__version__", "impact", "load", "measure", "rate"]
