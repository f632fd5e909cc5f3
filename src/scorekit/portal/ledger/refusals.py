"""Why the portal does not do what it was asked; the web answers each with its own status."""

from __future__ import annotations

from scorekit.errors import ScorekitError


class RefusalError(ScorekitError):
    """The portal does not do what it was asked."""


class NotThereError(RefusalError):
    """There is no such thing, or it is not for this account to know of."""


class NotAllowedError(RefusalError):
    """The account may not do this."""


class TooLateError(RefusalError):
    """Somebody has done, decided or taken it before; nothing was changed."""


class WrongContentError(RefusalError):
    """What was sent is not what was announced, or not what is asked for."""


class TooMuchError(RefusalError):
    """It is larger, or more, than is allowed."""


class TooManyJobsError(RefusalError):
    """As many jobs are held as may be; when one of them has ended, another may be taken."""
