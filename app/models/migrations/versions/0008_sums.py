"""Sums that are kept for reports, and the triggers that note what must be added up anew."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

COUNTED = (
    "user_id, local_date, seconds, within_day, project_id, task_id, billable,"
    " rate_override, deleted_at"
)
"""Columns of an entry that sums are made of."""


def upgrade() -> None:
    _tables()
    begins = _begins_on_sqlite if _is_sqlite() else _begins_on_postgresql
    make = _trigger_on_sqlite if _is_sqlite() else _trigger_on_postgresql
    for when, rows in (("INSERT", ["NEW"]), ("DELETE", ["OLD"]),
                       (f"UPDATE OF {COUNTED}", ["OLD", "NEW"])):  # fmt: skip
        noted = [
            text
            for row in rows
            for text in (
                _noted(f"{row}.user_id", begins(f"{row}.local_date"), ""),
                _noted("0", f"{row}.local_date", ""),
            )
        ]
        make("time_entries", when, noted)
    for when, row in (("INSERT", "NEW"), ("DELETE", "OLD")):
        of_entry = f" FROM time_entries e WHERE e.id = {row}.entry_id"
        make("entry_tags", when, [_noted("e.user_id", begins("e.local_date"), of_entry)])
    of_both = " FROM time_entries e WHERE e.id IN (OLD.entry_id, NEW.entry_id)"
    make("entry_tags", "UPDATE", [_noted("e.user_id", begins("e.local_date"), of_both)])
    of_project = " FROM time_entries e WHERE e.project_id = NEW.id"
    make(
        "projects",
        "UPDATE OF client_id",
        [
            _noted("e.user_id", begins("e.local_date"), of_project, distinct=True),
            _noted("0", "e.local_date", of_project, distinct=True),
        ],
    )
    everything = " FROM time_entries e"
    op.execute(_noted("e.user_id", begins("e.local_date"), everything, distinct=True))
    op.execute(_noted("0", "e.local_date", everything, distinct=True))


def _is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def _tables() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "slices",
        sa.Column("id", number, primary_key=True),
        sa.Column("person", number, nullable=False),
        sa.Column("begins", sa.Date(), nullable=False),
        sa.Column("made_under", sa.String(32), nullable=False),
    )
    op.create_index("one_slice", "slices", ["person", "begins"], unique=True)
    op.create_table(
        "slice_changes",
        sa.Column("id", number, primary_key=True),
        sa.Column("person", number, nullable=False),
        sa.Column("begins", sa.Date(), nullable=False),
    )
    op.create_index("ix_slice_changes_slice", "slice_changes", ["begins", "person"])
    op.create_table(
        "slice_sums",
        sa.Column("id", number, primary_key=True),
        sa.Column(
            "slice_id",
            number,
            sa.ForeignKey("slices.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("grain", sa.String(4), nullable=False),
        sa.Column("project_id", number),
        sa.Column("task_id", number),
        sa.Column("tag_id", number),
        sa.Column("billable", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("rate", sa.Integer()),
        sa.Column("currency", sa.String(3)),
        *(
            sa.Column(name, sa.BigInteger(), nullable=False)
            for name in ("entries", "seconds", "rounded", "earned", "earned_exactly")
        ),
    )
    op.create_index("ix_slice_sums_slice", "slice_sums", ["slice_id"])


def _begins_on_sqlite(day: str) -> str:
    return f"substr({day}, 1, 7) || '-01'"


def _begins_on_postgresql(day: str) -> str:
    return f"date_trunc('month', {day})::date"


def _noted(person: str, begins: str, source: str, *, distinct: bool = False) -> str:
    """Return the statement that notes a change of one slice, or of each of a source.

    On SQLite, where one writes at a time, a change is noted once. PostgreSQL notes each:
    to look for a note would find one that a job is about to take away.
    """
    word = " DISTINCT" if distinct else ""
    text = (
        "INSERT INTO slice_changes (person, begins)"
        f" SELECT{word} {person}, {begins}{source}"
    )
    if not _is_sqlite() or distinct:
        return text
    joined = " AND" if source else " WHERE"
    known = f"c.person = {person} AND c.begins = {begins}"
    return f"{text}{joined} NOT EXISTS (SELECT 1 FROM slice_changes c WHERE {known})"  # noqa: S608 - made of the words above


def _name(table: str, when: str) -> str:
    return f"note_{table}_{when.split(maxsplit=1)[0].lower()}"


def _trigger_on_sqlite(table: str, when: str, noted: list[str]) -> None:
    name = _name(table, when)
    body = "; ".join(noted)
    op.execute(f"CREATE TRIGGER {name} AFTER {when} ON {table} BEGIN {body}; END")


def _trigger_on_postgresql(table: str, when: str, noted: list[str]) -> None:
    name = _name(table, when)
    body = "; ".join(noted)
    op.execute(
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN {body}; RETURN NULL; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {name} AFTER {when} ON {table}"
        f" FOR EACH ROW EXECUTE FUNCTION {name}()"
    )
