"""What counts as an item of a path: which events, and what each is called.

Page views are called by their address, screens by their name, everything else by the
event's name, or all of them by an expression. Then come cleaning rules (patterns replaced
by an alias), groupings (texts with ``*`` that swallow what they are found in), and
exclusions.

What surprises: exclusions work only where event types are chosen. Without that, to
exclude ``$pageview`` or ``$screen`` means to call these events by their plain names.
"""

import re

import msgspec
from sqlglot import exp

from hedgerow.errors import InvalidQuery
from hedgerow.insights.funnel_events import expression_text
from hedgerow.model.projects import QueryContext
from hedgerow.query.dates import Range, midnight, resolve
from hedgerow.query.definitions_paths import CleaningFilter, PathsFilter, PathsQuery
from hedgerow.query.filters import conditions
from hedgerow.query.filters_values import check_pattern
from hedgerow.query.sources import Events
from hedgerow.query.trees import Tree, call, text_literal

PAGE, SCREEN, CUSTOM, HOGQL = "$pageview", "$screen", "custom_event", "hogql"


def span(query: PathsQuery, context: QueryContext) -> Range:
    """Return the range of a paths query, from the start of its first day."""
    range_ = resolve(query.date_range, context)
    return msgspec.structs.replace(range_, start=midnight(range_.start))


def select(
    query: PathsQuery, events: Events, span: Range, *, actor: Tree | None = None
) -> exp.Select:
    """Return the SELECT of all items: actor, microseconds, uuid, item.

    The actor is the person unless another is given; then ``person`` is a further column.
    """
    asked = query.paths_filter or PathsFilter()
    where = conditions(query.properties, events, test_accounts=query.filter_test_accounts)
    columns: list[Tree] = [
        (events.person_key() if actor is None else actor).as_("actor"),
        events.dialect.microseconds(events.column("timestamp")).as_("at"),
        events.column("uuid").as_("uuid"),
        item(asked, events).as_("item"),
    ]
    if actor is not None:
        columns.append(events.person_key().as_("person"))
    found = events.select(
        *columns,
        since=span.start,
        until=span.end,
        where=[*where, *takes_part(asked, events)],
    )
    left_out = excluded(asked)
    if not left_out:
        return found
    kept = exp.column("item").isin(*[events.values.bind(one) for one in left_out]).not_()
    return exp.select("*").from_(found.subquery("named")).where(kept)


def takes_part(asked: PathsFilter, events: Events) -> list[Tree]:
    """Return the conditions an event fulfils to be of the types asked for."""
    name = events.column("event")
    wanted: list[Tree] = []
    for kind in asked.include_event_types or ():
        if kind in {PAGE, SCREEN}:
            wanted.append(name.copy().eq(text_literal(kind)))
        elif kind == CUSTOM:
            wanted.append(name.copy().like(text_literal("$%")).not_())
    return [exp.or_(*wanted)] if wanted else []


def item(asked: PathsFilter, events: Events) -> Tree:
    """Return what an event is called, never NULL: cleaned, and grouped."""
    dialect = events.dialect
    found: Tree = call("coalesce", _name(asked, events), text_literal(""))
    for rule in _rules(asked, events):
        found = dialect.replace_pattern(found, *rule)
    return _grouped(asked.path_groupings or [], found, events)


def excluded(asked: PathsFilter) -> list[str]:
    """Return the items that are left out."""
    return list(asked.exclude_events or ()) if asked.include_event_types else []


def point(text: str | None) -> str | None:
    """Return a start or end point as items are written: without a trailing slash."""
    if text is None or text == "":
        return None
    return text[:-1] if len(text) > 1 and text.endswith("/") else text


def _name(asked: PathsFilter, events: Events) -> Tree:
    event = events.column("event")
    named: Tree = event
    if asked.paths_hogql_expression and _covers(asked, HOGQL):
        attr = "pathsFilter.pathsHogQLExpression"
        named = expression_text(asked.paths_hogql_expression, events, attr)
    if _covers(asked, PAGE):
        url = events.property("event", "$current_url").text
        address = events.dialect.replace_pattern(url, r"(.)/$", r"\1")
        named = _where(event.copy().eq(text_literal(PAGE)), address, named)
    if _covers(asked, SCREEN):
        screen = events.property("event", "$screen_name").text
        named = _where(event.copy().eq(text_literal(SCREEN)), screen, named)
    return named


def _covers(asked: PathsFilter, kind: str) -> bool:
    if asked.include_event_types:
        return kind in asked.include_event_types
    return kind not in (asked.exclude_events or ())


def _where(condition: Tree, value: Tree, otherwise: Tree) -> exp.Case:
    return exp.Case(ifs=[exp.If(this=condition, true=value)], default=otherwise)


def _rules(asked: PathsFilter, events: Events) -> list[tuple[str, str]]:
    """Return patterns and what replaces them: the project's, then the query's own."""
    stored = events.context.project.path_cleaning_filters if asked.path_replacements else []
    project = [
        CleaningFilter(alias=one.get("alias"), regex=one.get("regex")) for one in stored
    ]
    own = asked.local_path_cleaning_filters or []
    attr = "pathsFilter.localPathCleaningFilters"
    return [(_pattern(rule, attr), _alias(rule)) for rule in [*project, *own]]


def _alias(rule: CleaningFilter) -> str:
    r"""Return what replaces a match: ``\1`` is its first group, other backslashes stand."""
    return re.sub(r"\\(?![0-9])", r"\\\\", rule.alias or "")


def _pattern(rule: CleaningFilter, attr: str) -> str:
    if not rule.regex:
        raise InvalidQuery(
            f"The cleaning rule for {rule.alias!r} has no pattern.",
            hint="Give it a 'regex', or remove it.",
            attr=attr,
        )
    check_pattern(rule.regex)
    return rule.regex


def _grouped(patterns: list[str], found: Tree, events: Events) -> Tree:
    if not patterns:
        return found
    branches = [
        exp.If(
            this=events.dialect.matches(
                found.copy(), events.values.bind(wildcard(pattern))
            ),
            true=events.values.bind(pattern),
        )
        for pattern in reversed(patterns)
    ]
    return exp.Case(ifs=branches, default=found)


def wildcard(pattern: str) -> str:
    """Return a text with ``*`` for anything as a regular expression."""
    return ".*".join(re.escape(part) for part in pattern.split("*"))
