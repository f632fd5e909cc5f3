"""Kinds of text that an answer may be, and how many tokens each is taken to have.

The sizes are those of the French study's table, which EcoLogits' calculator uses too.
"""

from __future__ import annotations

from typing import Final

from scorekit.impacts.choices import unknown
from scorekit.records import Record


class Text(Record):
    """A kind of text that a model writes."""

    name: str
    title: str
    tokens: int


TEXTS: Final[dict[str, Text]] = {
    text.name: text
    for text in (
        Text(name="token", title="one token", tokens=1),
        Text(name="tweet", title="a tweet", tokens=50),
        Text(name="email", title="an e-mail", tokens=170),
        Text(name="summary", title="a summary of an article", tokens=250),
        Text(name="small_conversation", title="a small conversation with a chatbot", tokens=400),
        Text(name="five_page_report", title="a report of five pages", tokens=5000),
    )
}
"""Every kind of text, the shortest first."""


def find_text(name: str) -> Text:
    """The text of a name; hyphens and capitals do not matter.

    Raises:
        UsageError: there is none.
    """
    key = name.strip().casefold().replace("-", "_").replace(" ", "_")
    aliases = {"e_mail": "email", "report": "five_page_report", "conversation": "small_conversation"}
    text = TEXTS.get(aliases.get(key, key))
    if text is None:
        raise unknown("text", name, TEXTS, option="scorekit calculate --list-texts")
    return text
