"""Accounts, tokens and sessions: who is let in, for what, and until when."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from scorekit.portal.ledger import accounts, people
from scorekit.portal.ledger.refusals import NotThereError
from scorekit.portal.opened import Portal
from scorekit.portal.storage import Storage
from scorekit.portal.storage.tables import METADATA
from tests.portal.conftest import Clock, actor_of, token_of
from tests.portal.made import actions

DAY = timedelta(days=1)


def test_a_token_lets_in_until_it_ends(portal: Portal, clock: Clock) -> None:
    secret = token_of(portal, "operator", "Ada")
    actor = people.actor_of_token(portal.storage, secret)
    assert actor is not None
    assert (actor.name, actor.role, actor.scopes) == ("Ada", "operator", {"submit", "operate"})
    assert people.actor_of_token(portal.storage, secret + "x") is None
    clock.advance(days=30)
    assert people.actor_of_token(portal.storage, secret) is None


def test_a_token_may_be_given_less_and_never_more(storage: Storage) -> None:
    account = people.make_account(storage, "Ada", "operator")
    made = people.make_token(storage, account, "", DAY, ["submit", "work"])
    actor = people.actor_of_token(storage, made.secret)
    assert actor is not None
    assert actor.scopes == {"submit"}
    with pytest.raises(NotThereError, match="none of that"):
        people.make_token(storage, account, "", DAY, ["work"])
    with pytest.raises(NotThereError, match="no account"):
        people.make_token(storage, "nobody", "", DAY)
    longest = people.make_token(storage, account, "", timedelta(days=9999))
    assert longest.expires_at == storage.now() + people.LONGEST


def test_no_secret_is_kept(portal: Portal) -> None:
    secret = token_of(portal, "submitter")
    actor = people.actor_of_token(portal.storage, secret)
    assert actor is not None
    session = people.open_session(portal.storage, actor)
    with portal.storage.database.read() as connection:
        kept = [str(row) for table in METADATA.sorted_tables for row in connection.execute(select(table))]
    assert not any(secret in row or session.secret in row for row in kept)


def test_a_session_ends_with_its_time_its_token_and_its_account(portal: Portal, clock: Clock) -> None:
    storage = portal.storage
    first, second, third = (actor_of(portal, "submitter") for _ in range(3))
    for actor in (first, second, third):
        assert actor.token_id is not None
    sessions = [people.open_session(storage, actor) for actor in (first, second, third)]
    held = people.session_of(storage, sessions[0].secret)
    assert held is not None
    assert (held.actor, held.csrf) == (first, sessions[0].csrf)
    assert first.token_id is not None
    people.revoke_token(storage, first.token_id)
    accounts.close(storage, second.account_id)
    assert [people.session_of(storage, made.secret) is not None for made in sessions] == [False, False, True]
    people.close_session(storage, sessions[2].secret)
    assert people.session_of(storage, sessions[2].secret) is None
    with pytest.raises(NotThereError):
        people.revoke_token(storage, first.token_id)
    with pytest.raises(NotThereError):
        accounts.close(storage, second.account_id)
    with pytest.raises(NotThereError):
        people.make_token(storage, second.account_id, "", DAY)
    last = people.open_session(storage, third)
    clock.advance(hours=12)
    assert people.session_of(storage, last.secret) is None
    assert actions(storage, second.account_id) == ["account.make", "session.open", "account.close"]


def test_a_session_lasts_no_longer_than_its_token(storage: Storage) -> None:
    account = people.make_account(storage, "Ada", "submitter")
    made = people.make_token(storage, account, "", timedelta(hours=1))
    actor = people.actor_of_token(storage, made.secret)
    assert actor is not None
    assert people.open_session(storage, actor).expires_at == made.expires_at


def test_who_logs_in_elsewhere_has_one_account(storage: Storage) -> None:
    first = people.actor_of_external(storage, "hf-1", "Ada\0\ud800")
    again = people.actor_of_external(storage, "hf-1", "Ada with another name")
    assert (first.account_id, again.name, again.role) == (again.account_id, "Ada", "submitter")
    accounts.close(storage, first.account_id)
    with pytest.raises(NotThereError, match="closed"):
        people.actor_of_external(storage, "hf-1", "Ada")


def test_accounts_and_tokens_are_listed(portal: Portal) -> None:
    ada, bob = actor_of(portal, "operator", "Ada"), actor_of(portal, "worker", "Bob")
    people.actor_of_external(portal.storage, "hf-1", "Cleo")
    accounts.close(portal.storage, bob.account_id)
    told = {account.name: account for account in accounts.listed(portal.storage)}
    assert {name: (one.role, one.from_hugging_face, one.closed_at is None) for name, one in told.items()} == {
        "Ada": ("operator", False, True),
        "Bob": ("worker", False, False),
        "Cleo": ("submitter", True, True),
    }
    tokens = {token.name: token for token in accounts.tokens_listed(portal.storage)}
    assert (tokens["Ada"].id, tokens["Ada"].scopes, tokens["Ada"].revoked_at) == (
        ada.token_id,
        ("submit", "operate"),
        None,
    )
    assert tokens["Bob"].revoked_at is not None
