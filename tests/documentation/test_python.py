"""The Python of every page works, block after block, and prints what the page shows."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest

from scorekit.api import block as measured_block
from tests.documentation.needs import NEEDS, Needs
from tests.documentation.pages import PYTHON, ROOT, blocks, blocks_of, pages
from tests.documentation.snippets import is_shown, run_all
from tests.purse import only_meter

WITH_PYTHON = [page for page in pages() if any(block.language == PYTHON for block in blocks(page))]
WINDOW_WH = 0.2


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """One that measures the same energy in every window, however short that is."""
    monkeypatch.setattr(measured_block, "_ON_CPU_S", 0.0)
    with only_meter(monkeypatch, tmp_path) as purse:
        purse.each_window_wh = WINDOW_WH
        yield


@pytest.mark.parametrize("page", WITH_PYTHON)
def test_the_python_of_a_page_works(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, machine: None) -> None:
    needs = NEEDS.get(page, Needs())
    folder = tmp_path / "reader"
    folder.mkdir()
    needs.files(folder)
    needs.made(folder)
    monkeypatch.chdir(folder)
    run_all(blocks(page), needs.names)


PAGE = """\
# A page

```python
answer = given + 1
print(f"{answer}\\n1\\n2\\n")
```

```text
43
...

```

<!-- not run: gpu -->
```python
raise RuntimeError("it needs a GPU")
```

And then:

```python
print(answer)
```

That is no output:

```text
44
```
"""


def test_blocks_of_a_page_are_one_program_and_print_what_it_shows() -> None:
    assert run_all(list(blocks_of(PAGE, "page.md")), {"given": 42})["answer"] == 43


def test_another_output_than_the_page_shows_is_refused() -> None:
    with pytest.raises(AssertionError, match=r"(?s)page\.md:9 shows\n43\n.*what is printed is\n8\n"):
        run_all(list(blocks_of(PAGE, "page.md")), {"given": 7})


def test_a_block_that_fails_is_told_with_its_line_in_the_page() -> None:
    found = list(blocks_of(PAGE.replace("<!-- not run: gpu -->", ""), "page.md"))
    with pytest.raises(RuntimeError) as raised:
        run_all(found, {"given": 42})
    last = traceback.extract_tb(raised.value.__traceback__)[-1]
    assert (last.filename, last.lineno) == (str(ROOT / "page.md"), 16)


def test_nothing_but_a_reason_excuses_python() -> None:
    with pytest.raises(AssertionError, match=r"page\.md:16"):
        run_all(list(blocks_of(PAGE.replace("not run: gpu", "usage"), "page.md")), {"given": 42})


@pytest.mark.parametrize(
    ("printed", "sample", "same"),
    [
        ("a  \nb\n", "a\nb\n", True),
        ("a\nb\nc\n", "...\nc\n", True),
        ("a\nb\nc\n", "a\n...\n", True),
        ("a\nb\n", "a\n", False),
        ("a\n", "a\nb\n", False),
        ("a.b\n", "a...\n", False),
        ("", "a\n", False),
    ],
)
def test_a_sample_is_held_against_what_is_printed(printed: str, sample: str, same: bool) -> None:
    assert is_shown(printed, sample) is same
