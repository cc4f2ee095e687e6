"""The groups of one type as rows of their own, beside a list of their keys."""

from collections.abc import Iterable

from sqlglot import exp

from hedgerow.errors import InvalidQuery
from hedgerow.model import tables
from hedgerow.model.projects import QueryContext
from hedgerow.query.dialects import dialect_of
from hedgerow.query.sources import (
    Property,
    group_type_name,
    named_table,
    plain,
    read,
    timed,
)
from hedgerow.query.trees import Tree
from hedgerow.query.values import Values


class Groups:
    """The groups of one type as they are now, alias ``g``."""

    own = "group"
    names = frozenset({"id", "created_at"})

    def __init__(self, context: QueryContext, values: Values, index: int) -> None:
        self.context, self.values = context, values
        self.dialect = dialect_of(context)
        self.type = group_type_name(context, index)
        self._project = values.bind(context.project.id)
        self._type = values.bind(self.type)

    def column(self, name: str) -> exp.Column:
        """Return a column of the groups table."""
        return exp.column(name, table="g")

    def person_key(self) -> Tree:
        """Refuse: groups are no persons."""
        raise InvalidQuery(
            "Groups are in no cohort.", hint="Use properties of the group.", attr="type"
        )

    def property(
        self,
        type_: str,
        key: str,
        group_type_index: int | None = None,  # noqa: ARG002 - a source's signature
    ) -> Property:
        """Return a property or column of the group. Raises InvalidQuery for others."""
        if type_ == "event_metadata" and key in self.names:
            if key == "created_at":
                return timed(self, self.column(key))
            return plain(self, exp.column("actor", table="b"))
        if type_ != "group":
            raise InvalidQuery(
                f"Groups have no property {key!r} of type {type_!r}.",
                hint="Use filters of type group here.",
                attr="type",
            )
        return read(self, "groups", "g", scope=f"group:{self.type}", key=key)

    def beside(
        self, actors: exp.Query, *columns: Tree, where: Iterable[Tree] = ()
    ) -> exp.Select:
        """Return a SELECT over keys (``b``, column ``actor``) and the groups they are."""
        on = exp.and_(
            self.column("project_id").eq(self._project.copy()),
            self.column("type").eq(self._type.copy()),
            self.column("key").eq(exp.column("actor", table="b")),
        )
        query = exp.select(*columns).from_(actors.subquery("b"))
        query = query.join(named_table(tables.GROUPS.name, "g"), on=on, join_type="left")
        return query.where(*where)
