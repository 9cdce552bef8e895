"""The tables of a journal in a database."""

from __future__ import annotations

import sqlalchemy as sa

VERSION = 1

metadata = sa.MetaData()

versions = sa.Table("reelvet_journal", metadata, sa.Column("version", sa.Integer, primary_key=True))

jobs = sa.Table(
    "reelvet_jobs",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("attempt", sa.Integer, primary_key=True),
    sa.Column("fingerprint", sa.Text, nullable=False),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("instance", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("ticket", sa.LargeBinary, nullable=False),  # JSON
    sa.Column("plan", sa.Text, nullable=False),
    sa.Column("begun_at", sa.Double, nullable=False),
    sa.Column("unknown_since", sa.Double),
    sa.Column("owner", sa.Text),
    sa.Column("lease_until", sa.Double, nullable=False),
    sa.Column("user", sa.Text),
    sa.Column("verdict", sa.Text),
    # Few are unsettled, or one's own, of the many that there are.
    sa.Index("reelvet_jobs_by_state", "state", "begun_at"),
    sa.Index("reelvet_jobs_by_owner", "owner"),
    sa.Index("reelvet_jobs_by_user", "user"),
    sa.Index("reelvet_jobs_by_age", "begun_at"),
)

tasks = sa.Table(
    "reelvet_tasks",
    metadata,
    sa.Column("instance", sa.Text, primary_key=True),
    sa.Column("task", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Index("reelvet_tasks_by_job", "key", "attempt"),
)

results = sa.Table(
    "reelvet_results",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("attempt", sa.Integer, primary_key=True),
    sa.Column("result", sa.LargeBinary, nullable=False),  # JSON, compressed
)

news = sa.Table(
    "reelvet_news",
    metadata,
    sa.Column("number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("event_id", sa.Text, nullable=False, unique=True),
    sa.Column("instance", sa.Text, nullable=False),
    sa.Column("task", sa.Text, nullable=False),
    sa.Column("category", sa.Text),
    sa.Column("key", sa.Text),
    sa.Column("raw", sa.LargeBinary),  # JSON, compressed
    sa.Column("complete", sa.Boolean, nullable=False),
    sa.Column("due", sa.Double),  # when it is to be followed up; null: it was
    sa.Index("reelvet_news_by_task", "instance", "task"),
    sa.Index("reelvet_news_by_due", "due"),
    sqlite_autoincrement=True,  # a number that was given once is not given again once its row was erased
)

events = sa.Table(
    "reelvet_events",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("key", sa.Text),
    sa.Column("attempt", sa.Integer),
    sa.Column("body", sa.LargeBinary),  # null once it was sent
    sa.Column("posted_at", sa.Double, nullable=False),
    sa.Column("due", sa.Double),  # null: not any more
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("says", sa.Text),
    sa.Index("reelvet_events_by_due", "due"),
    sa.Index("reelvet_events_by_job", "key", "attempt"),
)
