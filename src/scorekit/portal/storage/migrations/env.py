"""Run by Alembic: the migrations in the transaction that `migrating.upgrade` has begun."""

from __future__ import annotations

from alembic import context

from scorekit.portal.storage.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
