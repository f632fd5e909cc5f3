"""Texts in sentences as HTML: messages with commands in them, and what people wrote in several lines."""

from __future__ import annotations

from markupsafe import Markup

from scorekit.publish.site.names import isolated, shown

_MARK = "`"


def told(text: str) -> Markup:
    """A message as HTML: what stands between two backticks is a command. Nothing else in it is taken for markup."""
    parts = text.split(_MARK)
    if len(parts) % 2 == 0:
        # A backtick that nothing closes is only a sign.
        return isolated(text)
    command, plain = Markup("<code>{}</code>"), Markup("{}")
    wrapped = ((command if number % 2 else plain).format(shown(part)) for number, part in enumerate(parts))
    return Markup("<bdi>{}</bdi>").format(Markup("").join(wrapped))


def words(text: str) -> Markup:
    """What somebody wrote, line by line."""
    lines = (isolated(line.replace("\t", " ")) for line in text.split("\n"))
    return Markup("<br>").join(lines)
