"""How what the API gives is shown: as its text table, in a notebook too."""

from __future__ import annotations

import html


class Shown:
    """Something whose `str` is a text table; a notebook shows that, escaped."""

    def _repr_html_(self) -> str:
        return f'<pre style="white-space: pre; overflow-x: auto">{html.escape(str(self))}</pre>'
