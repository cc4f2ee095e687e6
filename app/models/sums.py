"""Tables of sums that are kept, so that a year's report need not read a million entries.

A *slice* is what is added up at once: one person's month, or everybody's day. Triggers in
the database note which slices a write touches (``SliceChange``), whoever writes and by
whatever statement; a job adds those up anew. So a slice is to be trusted when no change
of it is noted and it was ``made_under`` the rules and rates that hold now. Nothing here
is a truth of its own: all of it can be thrown away and made again from the entries.

Slices hold the entries that lie on one day; those across midnight are few and are read.
"""

from datetime import date

from sqlalchemy import BigInteger, ForeignKey, Index, String, false
from sqlalchemy.orm import Mapped, mapped_column

from app.models.database import Base, BigId, Numbered

EVERYBODY = 0
"""The ``person`` of a slice that is a day of all people."""

WORK, TAG, DAY = "work", "tag", "day"
"""What a sum is by: project and task, or tag, in a person's month; or nothing, on a day."""


class Slice(Numbered, Base):
    """A person's month, or everybody's day, that has been added up."""

    __tablename__ = "slices"
    __table_args__ = (Index("one_slice", "person", "begins", unique=True),)

    person: Mapped[int] = mapped_column(BigId)
    """A user's number, without a reference: a slice may outlive its user; or 0."""
    begins: Mapped[date]
    """First day of the month, or the day."""
    made_under: Mapped[str] = mapped_column(String(32))
    """Mark of the rules and rates that its figures were made with."""


class SliceChange(Numbered, Base):
    """A slice whose entries changed since it was added up; written by triggers only."""

    __tablename__ = "slice_changes"
    __table_args__ = (Index("ix_slice_changes_slice", "begins", "person"),)

    person: Mapped[int] = mapped_column(BigId)
    begins: Mapped[date]


class SliceSum(Base):
    """What like entries of a slice add up to: one row for each currency or rate."""

    __tablename__ = "slice_sums"
    __table_args__ = (Index("ix_slice_sums_slice", "slice_id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    slice_id: Mapped[int] = mapped_column(ForeignKey("slices.id", ondelete="CASCADE"))
    grain: Mapped[str] = mapped_column(String(4))
    """``work``, ``tag`` or ``day``."""
    project_id: Mapped[int | None] = mapped_column(BigId)
    task_id: Mapped[int | None] = mapped_column(BigId)
    tag_id: Mapped[int | None] = mapped_column(BigId)
    """Null in grain ``tag``: entries without any."""
    billable: Mapped[bool] = mapped_column(server_default=false())
    rate: Mapped[int | None]
    """Minor units an hour, in grain ``work``; null where nothing is earned."""
    currency: Mapped[str | None] = mapped_column(String(3))
    """Null where it is not billable, or has no rate."""
    entries: Mapped[int] = mapped_column(BigInteger)
    seconds: Mapped[int] = mapped_column(BigInteger)
    rounded: Mapped[int] = mapped_column(BigInteger)
    """Seconds as the rules round each entry."""
    earned: Mapped[int] = mapped_column(BigInteger)
    """Minor units, of rounded time."""
    earned_exactly: Mapped[int] = mapped_column(BigInteger)
    """Minor units, of exact time."""
