"""Search where the site is opened from a folder, without a server.

A page that was opened as a file may neither read the index nor start a worker from its file. So the index comes as a
script, as the theme asks for it there, and so does the source of the worker, which the page starts from memory.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

SCRIPT: Final = "assets/file-search.js"
"""mkdocs.yml puts it on each page, before the theme's own script."""
_START: Final = """\
(function () {
  "use strict";
  if (location.protocol !== "file:") { return; }
  var source = %s;
  var Original = window.Worker;
  window.Worker = function (address, options) {
    if (!/\\/workers\\/search\\./.test(String(address))) { return new Original(address, options); }
    return new Original(URL.createObjectURL(new Blob([source], { type: "text/javascript" })), options);
  };
})();
"""


def enable(site: Path) -> None:
    """Write the index and the worker as scripts."""
    index = (site / "search" / "search_index.json").read_text(encoding="utf-8")
    (site / "search" / "search_index.js").write_text(f"var __index = {index}", encoding="utf-8")
    (worker,) = (site / "assets" / "javascripts" / "workers").glob("search.*.min.js")
    source = worker.read_text(encoding="utf-8").partition("//# sourceMappingURL")[0]
    (site / SCRIPT).write_text(_START % json.dumps(source), encoding="utf-8")
