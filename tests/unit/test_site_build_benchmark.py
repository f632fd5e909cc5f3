"""The benchmark of building the site: whose turn it is, and that the work of labels is the same for each result."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from benchmarks import site_build
from benchmarks.timing import Took

from scorekit.publish.site import labels
from scorekit.records import Result


def test_sites_alternate_and_all_have_labels_in_the_same_share(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[tuple[int, int]] = []

    def write(out: Path, results: list[Result]) -> None:
        built.append((len(results), labels.MOST_LABELS))
        out.mkdir()
        (out / "index.html").write_text("home", encoding="utf-8")

    def took(run: Callable[[], object]) -> Took:
        run()
        size = built[-1][0]
        return Took(float(size), 100.0 + size**2)

    monkeypatch.setattr(site_build, "write", write)
    monkeypatch.setattr(site_build, "took", took)
    most = labels.MOST_LABELS
    rows = {row.key: row for row in site_build.builds(tmp_path, (10, 20, 40), 2)}
    assert built == [(10, most), (10, 2), (20, 4), (40, 8), (40, 8), (20, 4), (10, 2)]
    assert most == labels.MOST_LABELS
    # The largest site of the full run is the one that is made outside of it.
    assert most == round(site_build.LABELLED * site_build.SIZES[-1])
    assert set(rows) == {"build_10", "build_20", "build_40", "linear", "home"}
    # What grows with the square of the results is seen, whatever every site has beside them.
    assert rows["linear"].ratios == pytest.approx((2.0, 2.0))
    assert rows["linear"].verdict == "no"
