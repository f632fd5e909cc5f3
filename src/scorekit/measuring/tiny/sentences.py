"""English made from fixed words: what the tiny tokenizers learn from and what the tiny datasets hold."""

from __future__ import annotations

import random


def _listed(words: str, between: str | None = None) -> tuple[str, ...]:
    return tuple(words.split(between))


_NOUNS = _listed(
    "river garden teacher letter train station morning window market baker harbour forest mountain winter "
    "summer meter engine battery sensor cable kitchen bridge library doctor farmer pilot painter village "
    "island storm orchard lantern compass blanket ladder violin clock mirror basket kettle valley meadow "
    "castle museum"
)
_ADJECTIVES = _listed(
    "quiet bright small heavy early late green golden narrow wide gentle sudden careful honest hollow "
    "curious distant empty frozen warm clever patient rusty silver modern ancient broken steady hidden famous"
)
_VERBS = _listed(
    "watches carries repairs paints follows measures opens closes finds leaves crosses reaches remembers "
    "answers builds cleans counts draws feeds guards hears keeps lifts moves needs orders plants reads sells "
    "tests"
)
_COLOURS = _listed("red orange yellow green blue purple brown grey")
_PLACES = _listed(
    "near the river|behind the school|under the old bridge|in the north of the town|beside the harbour|"
    "at the edge of the forest|on the top floor|between two hills|along the coast|inside the workshop",
    "|",
)
_TIMES = _listed(
    "before sunrise|in the afternoon|after the rain|during the long winter|on a cold evening|"
    "every second Monday|since the year 1974|at 7 o'clock|for more than 20 minutes|once a month",
    "|",
)
_STYLES = _listed(
    "oil painting|pencil drawing|wide photograph|paper collage|watercolour|map in an old book|poster|clay model",
    "|",
)
_FEELINGS = _listed(
    "I would gladly see it again|it was a waste of an evening|nobody in the room was moved|"
    "the second half is better than the first|the ending surprised everyone|"
    "the service was slow but friendly",
    "|",
)


class Writer:
    """Writes text from a random generator; the same generator state gives the same text."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def sentence(self) -> str:
        """One statement of about 40 to 110 characters."""
        one, two, adjective, verb, place, time = (
            self._chance.choice(words) for words in (_NOUNS, _NOUNS, _ADJECTIVES, _VERBS, _PLACES, _TIMES)
        )
        return self._chance.choice(
            (
                f"The {adjective} {one} {verb} the {two} {place}.",
                f"{time[0].upper()}{time[1:]}, the {one} {verb} a {adjective} {two}.",
                f"A {one} {place} {verb} the {two}, and the {self._chance.choice(_NOUNS)} stays {adjective}.",
                f"Nobody {verb} the {adjective} {one} {time}, because the {two} is {place}.",
            )
        )

    def passage(self, characters: int) -> str:
        """Sentences up to `characters` long; cut within a word where nothing else fits."""
        parts: list[str] = []
        length = 0
        while length < characters:
            parts.append(self.sentence())
            length += len(parts[-1]) + 1
        return " ".join(parts)[:characters].rstrip()

    def prompt(self) -> str:
        """Text to continue: mostly some tens to hundreds of characters, now and then thousands.

        The spread has the shape of the official set's (right-skewed, the longest many times the median),
        scaled down so that a laptop gets through it.
        """
        characters = int(self._chance.lognormvariate(5.5, 1.4))
        return self.passage(min(max(characters, 12), 9_000))

    def article(self) -> str:
        """Some paragraphs to summarise, about 800 to 3,000 characters."""
        return "\n".join(self.passage(self._chance.randint(400, 750)) for _ in range(self._chance.randint(2, 4)))

    def review(self) -> str:
        """An opinion to classify, about 60 to 400 characters."""
        return f"{self.passage(self._chance.randint(40, 340))} {self._chance.choice(_FEELINGS)}."

    def question_and_context(self) -> tuple[str, str]:
        """A question, and a passage of about 200 to 1,200 characters that holds its answer."""
        who, what, verb, place = (self._chance.choice(words) for words in (_NOUNS, _NOUNS, _VERBS, _PLACES))
        before = self.passage(self._chance.randint(80, 500))
        after = self.passage(self._chance.randint(80, 600))
        return (
            f"Where is the {what} that the {who} {verb}?",
            f"{before} The {who} {verb} the {what} {place}. {after}",
        )

    def pair(self) -> tuple[str, str]:
        """Two sentences to compare; half of the pairs share their words."""
        first = self.sentence()
        if self._chance.random() < 0.5:
            return first, self.sentence()
        adjective = self._chance.choice(_ADJECTIVES)
        return first, f"It is said to be {adjective}: {first[0].lower()}{first[1:]}"

    def picture(self) -> str:
        """What to draw, about 40 to 110 characters."""
        colour, adjective, noun = (self._chance.choice(words) for words in (_COLOURS, _ADJECTIVES, _NOUNS))
        style, place, time = (self._chance.choice(words) for words in (_STYLES, _PLACES, _TIMES))
        return f"a {style} of a {adjective} {colour} {noun} {place} {time}"


def corpus(sentences: int = 600) -> list[str]:
    """The fixed text that the tiny tokenizers learn from; no seed changes it."""
    writer = Writer(random.Random("scorekit tiny corpus"))
    return [text for _ in range(sentences // 2) for text in (writer.sentence(), writer.picture())]


def words() -> list[str]:
    """Every whole word of the corpus in lower case, sorted."""
    letters = (("".join(c if c.isalnum() else " " for c in text)) for text in corpus())
    return sorted({word for text in letters for word in text.lower().split()})
