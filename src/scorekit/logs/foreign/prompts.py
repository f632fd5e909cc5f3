"""What the counts of a run's prompts tell: how many queries its energy is of, and what is wrong with that. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from scorekit.records import Fault

MOST_PROMPTS: Final = 10**12
"""More prompts than this are no count: at a thousand a second they take thirty years."""


@dataclass(frozen=True, slots=True)
class Prompts:
    """Counts of a run's prompts; None for what the log does not tell.

    Attributes:
        asked: what the config asked for.
        total: prompts that were sent.
        successful: those that were answered.
        failed: those that were not.
    """

    asked: int | None
    total: int | None
    successful: int | None
    failed: int | None

    @property
    def queries(self) -> int | None:
        """Queries that were answered, or what was asked where the log counts none; None where it is not told, or 0."""
        answered = self._answered
        return answered if answered is not None and answered > 0 else None

    @property
    def queries_from(self) -> Literal["config", "summary"] | None:
        """What tells them."""
        if self.queries is None:
            return None
        return "config" if self._counts_nothing else "summary"

    def faults(self, where: Callable[[str], str]) -> Iterator[Fault]:
        """What is wrong.

        Args:
            where: the place of a field, for messages.
        """
        lost = self._lost
        if lost is not None and lost < 0:
            message = f"{where('total_prompts')}: {self.total:,} prompts, but {-lost:,} more were answered or failed"
            yield Fault(code="contradiction", message=message, spoils=True)
        if lost is not None and lost > 0 and self.failed is not None:
            message = f"{where('total_prompts')}: {lost:,} of {self.total:,} prompts were neither answered nor failed"
            yield Fault(code="too_few_prompts", message=message, spoils=True)
        failed = self.failed if self.failed is not None else lost
        if failed is not None and failed > 0:
            message = f"{where('failed_prompts')}: {failed:,} prompts failed, and what they took is in the energy"
            yield Fault(code="failed_prompts", message=message, spoils=True)
        sent = self._sent
        if self.asked is not None and sent is not None and sent < self.asked:
            found = (
                f"{where('total_prompts')}: {sent:,} prompts"
                if self.total is not None
                else f"{where('successful_prompts')}: {sent:,} prompts were answered or failed"
            )
            message = f"{found}, expected {self.asked:,} as asked"
            yield Fault(code="too_few_prompts", message=message, spoils=True)
        elif self._answered == 0:
            message = f"{where('successful_prompts')}: no prompt was answered"
            yield Fault(code="too_few_prompts", message=message, spoils=True)

    @property
    def _counts_nothing(self) -> bool:
        return self.total is None and self.successful is None and self.failed is None

    @property
    def _answered(self) -> int | None:
        if self._counts_nothing:
            return self.asked
        if self.successful is not None:
            return self.successful
        return self.total - self.failed if self.total is not None and self.failed is not None else None

    @property
    def _sent(self) -> int | None:
        """Prompts that were sent; where the log has no total of them, those of which it tells what became of them."""
        if self.total is not None or self.successful is None:
            return self.total
        return self.successful + (self.failed or 0)

    @property
    def _lost(self) -> int | None:
        """Prompts that were sent, less those of which the log tells what became of them."""
        if self.total is None or self.successful is None:
            return None
        return self.total - self.successful - (self.failed or 0)
