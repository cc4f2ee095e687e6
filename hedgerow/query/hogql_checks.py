"""Nothing of a query is passed over: a clause that is not known by name is refused."""

from sqlglot import exp

from hedgerow.errors import InvalidQuery


def others(node: exp.Expr, known: set[str] | frozenset[str]) -> list[str]:
    """Return the clauses a node has besides those known."""
    return [name for name, value in node.args.items() if value and name not in known]


def check(node: exp.Expr, known: set[str] | frozenset[str], what: str) -> None:
    """Raise InvalidQuery where a node has a clause that is not known."""
    if found := others(node, known):
        name = found[0].strip("_").upper()
        raise InvalidQuery(
            f"{name} is not possible in {what}.", hint="Leave it out; the rest is fine."
        )
