"""Notebooks of docs/ as pages: their texts, their code, and what it tells and draws when it is run for the page."""

from __future__ import annotations

import html
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

_TABLE: Final = re.compile(r"<pre[^>]*>(.*)</pre>", re.DOTALL)
_NOTE: Final = (
    "*What stands below the code was measured on the machine that built this page: it shows what you will see, "
    "and is no figure to cite.*"
)


class NotebookError(Exception):
    """A notebook does not run."""


def run(path: Path, root: Path) -> list[dict[str, Any]]:
    """The cells of a notebook with what they put out, from its first to its last.

    Args:
        path: of the notebook, which stays as it is.
        root: of the repository.

    Raises:
        NotebookError: a cell failed, with what was said.
    """
    with tempfile.TemporaryDirectory(prefix="scorekit-docs-") as folder:
        out = Path(folder) / path.name
        # No GPU of this machine is measured, and no other measurement of it waited for.
        environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "SCOREKIT_LOCKS": folder}
        command = [sys.executable, "-m", "scripts.run_notebook", str(path), "-o", str(out)]
        done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise NotebookError(f"{path.name} does not run:\n{(done.stdout + done.stderr).strip()[-4000:]}")
        return list(json.loads(out.read_text(encoding="utf-8"))["cells"])


def markdown(cells: Sequence[Mapping[str, Any]], name: str, folder: Path, where: str) -> str:
    """A notebook that was run as Markdown; its pictures are written.

    Args:
        cells: of the notebook.
        name: what its pictures are called by.
        folder: where they are written.
        where: that folder, from the page.
    """
    first, *others = (list(_cell(cell, f"{name}-{number}", folder, where)) for number, cell in enumerate(cells))
    return "\n\n".join([*first, _NOTE, *(part for parts in others for part in parts)]) + "\n"


def _cell(cell: Mapping[str, Any], name: str, folder: Path, where: str) -> Iterator[str]:
    source = "".join(cell["source"]).strip()
    if not source:
        return
    if cell["cell_type"] == "markdown":
        yield source
        return
    yield f"```python\n{source}\n```"
    for output in cell.get("outputs", ()):
        data = output.get("data", {})
        if svg := "".join(data.get("image/svg+xml", ())):
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{name}.svg").write_text(svg, encoding="utf-8")
            # Charts are drawn for light pages, and have no background of their own.
            yield f"![What the code above has drawn]({where}/{name}.svg)\n{{: .picture .on-light }}"
        elif told := _told(output, data).rstrip():
            yield f"```text\n{told}\n```"


def _told(output: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    """What scorekit gives shows itself to notebooks as its text table."""
    table = _TABLE.fullmatch("".join(data.get("text/html", ())).strip())
    if table:
        return html.unescape(table[1])
    return "".join(output.get("text") or data.get("text/plain", ""))
