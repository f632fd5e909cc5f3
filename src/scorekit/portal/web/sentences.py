"""Texts in sentences as HTML: messages with commands in them, and what people wrote in several lines."""

from __future__ import annotations

import re
from typing import Final

from markupsafe import Markup

from scorekit.publish.site.names import isolated, shown

_MARK: Final = "`"
_WORD: Final = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*[,:;]?(?= |$)")
_COMMAND: Final = "scorekit"
_ENDS: Final = (".", "!", "?", "\N{HORIZONTAL ELLIPSIS}", ":")
_OF_COMMANDS: Final = re.compile(r"-|.*[=/\\]")


def told(text: str) -> Markup:
    """A message as HTML: what stands between two backticks is a command. Nothing else in it is taken for markup."""
    parts = text.split(_MARK)
    if len(parts) % 2 == 0:
        # A backtick that nothing closes is only a sign.
        return isolated(text)
    command, plain = Markup("<code>{}</code>"), Markup("{}")
    wrapped = ((command if number % 2 else plain).format(shown(part)) for number, part in enumerate(parts))
    return Markup("<bdi>{}</bdi>").format(Markup("").join(wrapped))


def sentence(text: str) -> Markup:
    """A message or its mend as a sentence on a page: with a capital letter and a full stop; else as `told`.

    Names of files, options and commands stay as they are, where they begin it and where they end it.
    """
    first = _WORD.match(text)
    if first is not None and first[0] != _COMMAND:
        text = text[0].upper() + text[1:]
    last = text.rpartition(" ")[2]
    is_command = text.startswith(f"{_COMMAND} ") or _OF_COMMANDS.match(last) is not None
    if text and not text.endswith(_ENDS) and not is_command:
        text += "."
    return told(text)


def words(text: str) -> Markup:
    """What somebody wrote, line by line."""
    lines = (isolated(line.replace("\t", " ")) for line in text.split("\n"))
    return Markup("<br>").join(lines)
