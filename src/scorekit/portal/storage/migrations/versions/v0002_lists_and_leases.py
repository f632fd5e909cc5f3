"""Indexes for lists of submissions and for what an account handed in since yesterday; and whose worker has a job.

What stands here is never changed; a later version stands beside it.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them to the rows that are there; who holds a job that is leased now is not known."""
    op.create_index(op.f("ix_submissions_received_at"), "submissions", ["received_at"])
    op.create_index(op.f("ix_submissions_account_id_received_at"), "submissions", ["account_id", "received_at"])
    # Without a reference to accounts: SQLite adds none to a table that is there.
    op.add_column("jobs", sa.Column("holder", sa.String(32), comment="Account of the worker that has it."))
