"""What README tells people to type works, in the order in which it stands there."""

from __future__ import annotations

import re
from pathlib import Path

from tests.documentation.pages import pages
from tests.documentation.shells import Shell, type_all
from tests.documentation.test_pages import run_here

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_command_of_readme_works(tmp_path: Path, scorekit_program: Path) -> None:
    shell = Shell(tmp_path, scorekit_program)
    try:
        done = type_all(run_here("README.md"), shell)
    finally:
        shell.close()
    assert len(done) >= 20
    (parsed,) = [typed.printed for typed in done if typed.command.text == "scorekit parse runs"]
    _assert_as_in_the_sample(parsed)


NOISE = re.compile(r"vary by|x the energy of the other repeats|the energy changes by|the wall clock was set")
"""In warnings that hang on what else the machine does; whether a run has them is chance."""
SPLIT = re.compile(
    r"decode: prefill took as much as generate in .+? larger than the split(?:; the mean .+? included)? "
)
"""A note of the same kind; with it the figures of decode may be unknown."""


def _assert_as_in_the_sample(printed: str) -> None:
    """What `scorekit parse runs` prints is what README shows, but for figures, and for what dots stand for there."""
    (sample,) = [text for text in re.findall(r"```text\n(.*?)```", README, flags=re.DOTALL) if "Warnings:" in text]
    if "the energy is modelled" not in printed:
        # With a sensor for its CPU a machine measures what the sample's machine models.
        return
    told = _plain(printed)
    at = 0
    for part in map(_plain, sample.split("\n...\n")):
        found = told.find(part, at)
        assert found >= 0, f"README shows\n{part}\nand the command prints\n{told}"
        at = found + len(part)
    # Nothing follows the sample, and no warning is left out of it.
    assert at == len(told)
    assert _bullets(printed) == _bullets(sample)


def _bullets(text: str) -> list[str]:
    found = re.findall(r"^  - (.+(?:\n    .+)*)", text, flags=re.MULTILINE)
    return [_normal(" ".join(one.split())) for one in found if not NOISE.search(one)]


def _plain(text: str) -> str:
    """Without bullets of chance, figures, names of CPUs, and how wide the table came out."""
    kept = [one for one in re.split(r"\n(?=  - |\n|\S)", text) if not (one.startswith("  - ") and NOISE.search(one))]
    plain = SPLIT.sub("", " ".join(" ".join(kept).split()))
    return _normal(re.sub(r"(?<=decode no )\S+ \S+", "0 0", plain))


def _normal(text: str) -> str:
    text = re.sub(r"(?<=found ).+?(?=, expected one NVIDIA)|(?<=hardware: ).+?(?=; energy of)", "CPU", text)
    return re.sub(r"-{2,}", "--", re.sub(r"\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?", "#", text))


def test_nothing_is_left_to_be_filled_in() -> None:
    for page in [
        README,
        *((ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("formats.md", "methodology.md")),
    ]:
        assert not re.search(r"@[A-Z_]+@|T(?:ODO|BD)", page)


def test_links_lead_somewhere() -> None:
    for name in (*pages(), "CHANGELOG.md"):
        page = ROOT / name
        for link in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
            assert "://" in link or (page.parent / link).exists(), f"{name} links to {link}"


def test_every_verb_is_told_of() -> None:
    from scorekit import cli

    for verb in cli.VERBS:
        assert f"scorekit {verb}" in README or f"make {verb}" in README, verb
