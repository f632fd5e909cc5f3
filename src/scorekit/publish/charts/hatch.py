"""The pattern that fills what has no data of its own."""

from __future__ import annotations

from scorekit.publish.charts.looks import HATCH, Look

ID = HATCH.removeprefix("url(#").removesuffix(")")


def pattern(look: Look) -> str:
    """An SVG pattern: thin diagonal lines, told from any colour of the scale at a glance."""
    return (
        f'<pattern id="{ID}" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        f'<rect width="5" height="5" fill="{look.background}"/>'
        f'<rect width="1.1" height="5" fill="{look.line}"/></pattern>'
    )
