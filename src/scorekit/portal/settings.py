"""How a portal is set up: folders and addresses from the command line, secrets from the environment only."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final

from scorekit import editions
from scorekit.errors import UsageError
from scorekit.submission import Limits

DATABASE: Final = "SCOREKIT_PORTAL_DATABASE"
"""Address of the database: in the environment, for it may hold a password."""
OAUTH_ID: Final = "OAUTH_CLIENT_ID"
OAUTH_SECRET: Final = "OAUTH_CLIENT_SECRET"  # noqa: S105 - the name of a variable
TOKEN: Final = "SCOREKIT_TOKEN"  # noqa: S105 - the name of a variable
"""Of those who talk to a portal: `scorekit submit` and `scorekit worker`."""
MOST_BYTES_A_DAY: Final = 4 * 1024**3
"""Of one account: what came in the last 24 hours and what is on its way."""
JOBS_AN_ACCOUNT: Final = 8
"""That its workers hold at once: one for each GPU of a large machine."""
_URL: Final = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._~/-]*)?")


@dataclass(frozen=True, slots=True)
class Settings:
    """How a portal is set up.

    Attributes:
        data: folder of everything that it keeps.
        database_url: as SQLAlchemy has it.
        blobs_url: a folder, or a URL of fsspec.
        public_url: where people reach it, with / at its end.
        edition: by which it judges until one is published.
        allowed_signers: whose signatures hold; None where none is asked for.
        limits: what a submission may hold.
        oauth: whether people log in at Hugging Face.
        requests_a_minute: that one address may make.
        account_bytes_a_day: that one account may hand in.
        jobs_an_account: that the workers of one account may hold at once.
        logins_a_minute: tries to log in that one address may make.
        check_lease: how long a checker may be silent; longer than a confined process may take.
        job_lease: how long a worker may be silent; it beats every 20 s.
        trusted_proxies: addresses or networks of what stands before it, whose word on a visitor's address is taken.
    """

    data: Path
    database_url: str
    blobs_url: str
    public_url: str
    edition: str = editions.LATEST
    allowed_signers: Path | None = None
    limits: Limits = field(default_factory=Limits)
    oauth: bool = False
    requests_a_minute: int = 600
    account_bytes_a_day: int = MOST_BYTES_A_DAY
    jobs_an_account: int = JOBS_AN_ACCOUNT
    logins_a_minute: int = 10
    check_lease: timedelta = timedelta(minutes=5)
    job_lease: timedelta = timedelta(seconds=90)
    trusted_proxies: tuple[str, ...] = ()

    @property
    def parts(self) -> Path:
        """What has come of uploads."""
        return self.data / "parts"

    @property
    def results(self) -> Path:
        """The results folder."""
        return self.data / "results"

    @property
    def editions(self) -> Path:
        """Drafts and frozen editions."""
        return self.data / "editions"

    @property
    def site(self) -> Path:
        """The site that was built last."""
        return self.data / "site"

    @property
    def is_secure(self) -> bool:
        """Whether people reach it by https, so that cookies may ask for it."""
        return self.public_url.startswith("https://")


def settings(
    data: Path,
    *,
    public_url: str,
    blobs_url: str | None = None,
    edition: str | None = None,
    allowed_signers: Path | None = None,
    requests_a_minute: int = 600,
    account_bytes_a_day: int = MOST_BYTES_A_DAY,
    jobs_an_account: int = JOBS_AN_ACCOUNT,
    trusted_proxies: tuple[str, ...] = (),
    environment: Mapping[str, str] = os.environ,
) -> Settings:
    """Settings from what was named and what the environment holds.

    Args:
        data: folder of everything that is kept.
        public_url: where people reach it.
        blobs_url: None for a folder in `data`.
        edition: None for the newest built-in one.
        allowed_signers: whose signatures hold.
        requests_a_minute: that one address may make.
        account_bytes_a_day: that one account may hand in.
        jobs_an_account: that the workers of one account may hold at once.
        trusted_proxies: addresses or networks of what stands before it.
        environment: SCOREKIT_PORTAL_DATABASE, OAUTH_CLIENT_ID, OAUTH_CLIENT_SECRET.

    Raises:
        UsageError: an address is none, or only one half of what a login at Hugging Face needs is set.
    """
    if not _URL.fullmatch(public_url):
        raise UsageError(f"{public_url[:80]!r} is no address", mend="e.g. --public-url https://scores.example.org/")
    for network in trusted_proxies:
        try:
            ipaddress.ip_network(network)
        except ValueError as error:
            raise UsageError(
                f"{network[:80]!r} is neither an address nor a network", mend="e.g. --trusted-proxy 127.0.0.1"
            ) from error
    halves = [bool(environment.get(name)) for name in (OAUTH_ID, OAUTH_SECRET)]
    if any(halves) and not all(halves):
        raise UsageError(
            f"of {OAUTH_ID} and {OAUTH_SECRET} only one is set", mend="set both, for logins at Hugging Face, or none"
        )
    absolute = data.absolute()
    return Settings(
        data=absolute,
        database_url=environment.get(DATABASE) or f"sqlite:///{absolute / 'portal.db'}",
        blobs_url=blobs_url or str(absolute / "blobs"),
        public_url=public_url if public_url.endswith("/") else f"{public_url}/",
        edition=edition or editions.LATEST,
        allowed_signers=allowed_signers,
        oauth=all(halves),
        requests_a_minute=requests_a_minute,
        account_bytes_a_day=account_bytes_a_day,
        jobs_an_account=jobs_an_account,
        trusted_proxies=trusted_proxies,
    )
