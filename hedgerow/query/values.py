"""Values of a statement, as typed placeholders: the only file that makes one.

No value ever becomes part of a statement's text. A placeholder carries its type, because
ClickHouse asks for one (``{v0: String}``); DuckDB prints the same node as ``$v0``.
"""

from datetime import UTC, datetime
from functools import lru_cache

from sqlglot import exp

from hedgerow.model.ports import Value

TYPES = {
    str: "String",
    int: "Int64",
    float: "Float64",
    bool: "Bool",
    datetime: "DateTime64(6)",
}
"""ClickHouse's names for what a value can be."""


class Values:
    """Collects a statement's values while its query is being built."""

    def __init__(self, *, reuse: bool = False) -> None:
        self.by_name: dict[str, Value] = {}
        self._reuse = reuse
        self._names: dict[tuple[type, str], str] = {}

    def bind(self, value: Value) -> exp.Placeholder:
        """Keep ``value`` and return the placeholder that stands for it.

        A time is kept as UTC without zone, as the events database keeps its own. With
        ``reuse`` equal values are one placeholder, so that an expression written twice is
        the same twice: in SELECT and in GROUP BY.
        """
        name = f"v{len(self.by_name)}"
        if isinstance(value, datetime) and value.tzinfo is not None:
            value = value.astimezone(UTC).replace(tzinfo=None)
        if self._reuse:
            name = self._names.setdefault((type(value), repr(value)), name)
        self.by_name[name] = value
        return exp.Placeholder(this=name, kind=_kind(value))


def _kind(value: Value) -> exp.DataType:
    if isinstance(value, list):
        inner = TYPES[type(value[0])] if value else "String"
        return _type(f"Array({inner})").copy()
    return _type(TYPES[type(value)]).copy()


@lru_cache(maxsize=32)
def _type(name: str) -> exp.DataType:
    return exp.DataType.build(name, dialect="clickhouse")
