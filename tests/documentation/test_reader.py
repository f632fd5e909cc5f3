"""The reader of pages finds every command, and refuses what it cannot read."""

from __future__ import annotations

import pytest

from tests.documentation import taken
from tests.documentation.lines import Program, UnreadableError, commands, programs, variants
from tests.documentation.pages import INDENTED, Block, blocks_of

PAGE = """\
# A page

<!-- not run: gpu, hub -->
```console
$ scorekit bench --config-name asr \\
    backend.model=ORG/MODEL
what it prints
$ scorekit parse runs
```

Then:

    umask 077   # a comment
    scorekit tasks | cat

## Further on

=== "A tab"

    <!-- usage -->
    ```text
    scorekit parse PATH...
    ```

- In a list:

  ```console
  $ make demo
  ```
"""


def test_every_block_is_found_with_its_mark_and_line() -> None:
    console, indented, usage, listed = blocks_of(PAGE, "page.md")
    assert (console.language, console.line, console.reasons) == ("console", 5, ("gpu", "hub"))
    assert [(one.line, one.text) for one in commands(console)] == [
        (5, "scorekit bench --config-name asr backend.model=ORG/MODEL"),
        (8, "scorekit parse runs"),
    ]
    assert (indented.language, indented.line, indented.run) == (INDENTED, 13, True)
    assert [one.text for one in commands(indented)] == ["umask 077   # a comment", "scorekit tasks | cat"]
    assert usage.usage
    assert usage.line == 22
    assert (listed.heading, listed.line, listed.text) == ("Further on", 28, "$ make demo\n")


def test_every_program_of_a_command_is_found() -> None:
    assert programs("make docs   # the site's (strict") == [Program("make", ("docs",))]
    assert programs("curl URL/#part") == [Program("curl", ("URL/#part",))]
    typed = "until curl --fail URL/health; do kill -0 $! || break; sleep 0.2; done"
    assert [one.name for one in programs(typed)] == ["curl", "kill", "break", "sleep"]
    typed = 'TOKEN=$(cat a.token) scorekit submit "$(id -u).zip" 2> log > "$HOME/x" &'
    assert programs(typed) == [
        Program("cat", ("a.token",)),
        Program("id", ("-u",)),
        Program("scorekit", ("submit", "SUBSTITUTED.zip")),
    ]
    assert programs("cat < in.txt | tr -d '$(id)'") == [Program("cat", ()), Program("tr", ("-d", "$(id)"))]


@pytest.mark.parametrize("typed", ['echo "open', "echo $(cat", "echo 'open", "cat >"])
def test_a_command_without_its_end_is_refused(typed: str) -> None:
    with pytest.raises(UnreadableError):
        programs(typed)


@pytest.mark.parametrize("text", ["prints\n", "", "$ scorekit parse \\\n"])
def test_a_block_that_holds_no_whole_command_is_refused(text: str) -> None:
    with pytest.raises(UnreadableError):
        commands(Block("page.md", 1, "console", text))


def test_a_usage_is_every_command_of_its_shape() -> None:
    assert variants("scorekit x RUN... [--a FILE | --b KEY] --role one|two [--n N]") == [
        "scorekit x RUN --a FILE --role one --n 1",
        "scorekit x RUN --b KEY --role two --n 1",
    ]


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("scorekit prase runs", "no command prase"),
        ("scorekit parse runs --frmat csv", "--frmat"),
        ("scorekit portal token make --data DIR --name N --role king", "king"),
        ("make tset", "tset"),
        ("pip install 'scorekit[bnech]'", "bnech"),
        ("python -m benchmarks.labels --quik", "--quik"),
        ("python -m scripts.nothing", "scripts.nothing"),
        ("python -m pytest tests/unit/test_none.py", "test_none"),
        ("docker run --rm --gpu all energy_star tasks", "--gpu"),
        ("docker build --build-arg EXTRA=bench -t x .", "EXTRA"),
        ("kubectl apply -f deploy/kubernetes/none.yaml", "none.yaml"),
        ("rm -rf /", "'rm'"),
        ("A=1", None),
        ("# nothing", "starts nothing"),
    ],
)
def test_what_a_program_does_not_take_is_refused(typed: str, told: str | None) -> None:
    if told is None:
        taken.check(typed, [])
        return
    with pytest.raises(taken.WrongCommandError, match=told):
        taken.check(typed, [])
