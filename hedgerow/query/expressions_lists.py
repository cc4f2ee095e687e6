"""Arrays, tuples, lambdas and JSON in expressions.

``x -> x + 1`` is translated with ``x`` standing for an element of the array beside it, so
an element has the kind of its array. An index counts from 1, as in ClickHouse, and what is
beyond the end is NULL.
"""

import re
from collections.abc import Callable
from typing import Any

from sqlglot import exp

from hedgerow.errors import InvalidQuery
from hedgerow.query.expressions_functions import filled
from hedgerow.query.expressions_translation import Translation, Typed, shown
from hedgerow.query.trees import Tree, call, number_literal, text_literal

LONGEST = 10_000
"""Elements that ``range`` makes: a thousand rows of them are held at once."""


def array(translation: Translation, node: exp.Array) -> Typed:
    """Return ``[a, b]``; elements of different kinds become texts."""
    found = [translation.typed(one) for one in node.expressions]
    kinds = {one.kind for one in found if one.kind != "any"}
    kind = kinds.pop() if len(kinds) == 1 else ("text" if kinds else "any")
    elements = [translation.converted(one, kind) for one in found]
    return Typed(exp.Array(expressions=elements), f"[{kind}]")


def tuple_(translation: Translation, node: exp.Tuple) -> Typed:
    """Return ``(a, b)``."""
    return _tuple(translation, node.expressions)


def _tuple(translation: Translation, nodes: list[Any]) -> Typed:
    if not nodes:
        raise InvalidQuery("A tuple is empty.", hint="Write (a, b).")
    return Typed(call("row", *(translation.typed(one).tree for one in nodes)), "tuple")


def indexed(translation: Translation, node: exp.Bracket) -> Typed:
    """Return an element of an array, or a value of a JSON object by its key."""
    of, index = translation.typed(node.this), node.expressions[0]
    if of.kind.startswith("map "):
        value = call("map_extract_value", of.tree, translation.kind_of(index, "text"))
        return Typed(value, of.kind.removeprefix("map "))
    if isinstance(index, exp.Literal) and index.is_string:
        return Typed(_json_text(translation, of, [index]), "text")
    if not of.kind.startswith("[") and of.kind != "any":
        raise InvalidQuery(f"{shown(node.this)} is no array.", hint="Only arrays have [1].")
    place = translation.kind_of(index, "number")
    if isinstance(index, exp.Literal):  # the parser counts constants from 0
        place = number_literal(int(index.name) + 1)
    element = of.kind[1:-1] if of.kind.startswith("[") else "any"
    return Typed(
        call(
            "list_extract",
            of.tree,
            exp.TryCast(this=place, to=exp.DataType.build("bigint")),
        ),
        element,
    )


def element_of_tuple(translation: Translation, node: exp.Dot) -> Typed:
    """Return ``(a, b).1``."""
    place = node.expression
    if not isinstance(place, exp.Literal) or not place.name.isdigit():
        raise InvalidQuery(f"{shown(node)} is no element of a tuple.", hint="Write t.1.")
    of = translation.typed(node.this)
    return Typed(call("struct_extract", of.tree, number_literal(int(place.name))), "any")


def _map_of(translation: Translation, nodes: list[Any]) -> Typed:
    """Return ``map('a', 1, 'b', 2)``."""
    if len(nodes) % 2:
        raise InvalidQuery("map() has a key without a value.", hint="Add it.")
    keys, values = (array(translation, exp.Array(expressions=nodes[n::2])) for n in (0, 1))
    return Typed(call("map", keys.tree, values.tree), f"map {values.kind[1:-1]}")


def _format(translation: Translation, nodes: list[Any]) -> Typed:
    """Return ``format('{} and {}', a, b)``: the pattern is a constant."""
    pattern = nodes[0].name if isinstance(nodes[0], exp.Literal) else ""
    parts = re.split(r"\{(\d{0,3})\}", pattern)
    texts = [translation.kind_of(one, "text") for one in nodes[1:]]
    found: list[Tree] = []
    for place, part in enumerate(parts):
        if place % 2 == 0:
            found.append(translation.source.values.bind(part))
            continue
        which = int(part) if part else place // 2
        if which >= len(texts):
            raise InvalidQuery(
                f"format() has no argument for {{{part}}}.", hint="Count from 0."
            )
        found.append(texts[which].copy())
    return Typed(call("concat", *found), "text")


def _element(translation: Translation, nodes: list[Any]) -> Typed:
    return element_of_tuple(translation, exp.Dot(this=nodes[0], expression=nodes[1]))


class Mapped:
    """Arrays with a lambda over their elements."""

    def __init__(self, translation: Translation, nodes: list[Any]) -> None:
        first, *rest = nodes
        arrays = [translation.typed(one) for one in rest]
        for one, node in zip(arrays, rest, strict=True):
            if not one.kind.startswith("[") and one.kind != "any":
                raise InvalidQuery(f"{shown(node)} is no array.", hint="Give an array.")
        if not isinstance(first, exp.Lambda) or len(first.expressions) != len(arrays):
            raise InvalidQuery(
                f"{shown(first)} is no function of {len(arrays)} elements.",
                hint="Write x -> x + 1 for one array, (x, y) -> x + y for two.",
            )
        self.kind = arrays[0].kind
        self.several = len(arrays) > 1
        self.array = (
            call("list_zip", *(one.tree for one in arrays))
            if self.several
            else arrays[0].tree
        )
        if translation.locals:
            raise InvalidQuery(
                "A lambda inside of a lambda is not possible.",
                hint="Unroll one of the arrays with arrayJoin().",
            )
        self.name = "#x"
        element = exp.column(exp.to_identifier(self.name, quoted=True))
        for place, (name, one) in enumerate(zip(first.expressions, arrays, strict=True), 1):
            kind = one.kind[1:-1] if one.kind.startswith("[") else "any"
            value: Tree = element.copy()
            if self.several:
                value = call("struct_extract", value, number_literal(place))
            translation.locals[name.name] = Typed(value, kind)
        try:
            self.body = translation.typed(first.this)
            if self.body.kind.startswith("["):
                raise InvalidQuery(
                    f"{shown(first)} makes an array of each element.",
                    hint="Unroll the array with arrayJoin().",
                )
            self.truth = translation.converted(self.body, "bool")
        finally:
            translation.locals.clear()

    def lambda_(self, body: Tree) -> exp.Lambda:
        """Return the engine's lambda."""
        name = exp.to_identifier(self.name, quoted=True)
        return exp.Lambda(this=body.copy(), expressions=[name], colon=True)

    def mapped(self) -> Tree:
        """Return the array of what the lambda gives."""
        return call("list_transform", self.array, self.lambda_(self.body.tree))

    def kept(self) -> Tree:
        """Return the elements, of the first array, for which the lambda holds."""
        found = call("list_filter", self.array, self.lambda_(self.truth))
        if not self.several:
            return found
        element = exp.column(exp.to_identifier(self.name, quoted=True))
        return call(
            "list_transform",
            found,
            self.lambda_(call("struct_extract", element, number_literal(1))),
        )

    def sorted(self, *, descending: bool) -> Tree:
        """Return the elements of the first array by what the lambda gives."""
        element: Tree = exp.column(exp.to_identifier(self.name, quoted=True))
        value: Tree = element.copy()
        if self.several:
            value = call("struct_extract", value, number_literal(1))
        pairs = call(
            "list_transform", self.array, self.lambda_(call("row", self.body.tree, value))
        )
        name = "list_reverse_sort" if descending else "list_sort"
        second = call("struct_extract", element.copy(), number_literal(2))
        return call("list_transform", call(name, pairs), self.lambda_(second))


def _map(translation: Translation, nodes: list[Any]) -> Typed:
    mapped = Mapped(translation, nodes)
    return Typed(mapped.mapped(), f"[{mapped.body.kind}]")


def _filter(translation: Translation, nodes: list[Any]) -> Typed:
    mapped = Mapped(translation, nodes)
    return Typed(mapped.kept(), mapped.kind)


def _first(translation: Translation, nodes: list[Any]) -> Typed:
    mapped = Mapped(translation, nodes)
    return Typed(
        call("list_extract", mapped.kept(), number_literal(1)), mapped.kind[1:-1] or "any"
    )


def _truths(template: str, kind: str) -> Callable[[Translation, list[Any]], Typed]:
    def found(translation: Translation, nodes: list[Any]) -> Typed:
        if isinstance(nodes[0], exp.Lambda):
            mapped = Mapped(translation, nodes)
            truths: Tree = call(
                "list_transform", mapped.array, mapped.lambda_(mapped.truth)
            )
        else:
            truths = translation.kind_of(nodes[0], "[any]")
        return Typed(filled(template, [truths]), kind)

    return found


def _summed(template: str) -> Callable[[Translation, list[Any]], Typed]:
    def found(translation: Translation, nodes: list[Any]) -> Typed:
        if isinstance(nodes[0], exp.Lambda):
            mapped = Mapped(translation, nodes)
            body = translation.converted(mapped.body, "number")
            numbers: Tree = call("list_transform", mapped.array, mapped.lambda_(body))
        else:
            numbers = translation.kind_of(nodes[0], "[any]")
        return Typed(filled(template, [numbers]), "number")

    return found


def _sort(*, descending: bool) -> Callable[[Translation, list[Any]], Typed]:
    def found(translation: Translation, nodes: list[Any]) -> Typed:
        if isinstance(nodes[0], exp.Lambda):
            mapped = Mapped(translation, nodes)
            return Typed(mapped.sorted(descending=descending), mapped.kind)
        of = translation.typed(nodes[0])
        name = "list_reverse_sort" if descending else "list_sort"
        return Typed(call(name, translation.converted(of, "[any]")), of.kind)

    return found


def _range(translation: Translation, nodes: list[Any]) -> Typed:
    if translation.locals:
        raise InvalidQuery(
            "range() inside of a lambda is not possible.", hint="Move it out."
        )
    whole = exp.DataType.build("bigint")
    numbers: list[Tree] = [
        exp.TryCast(this=translation.kind_of(one, "number"), to=whole.copy())
        for one in nodes
    ]
    start, end = ([number_literal(0), *numbers] if len(numbers) == 1 else numbers)[:2]
    step = numbers[2] if len(numbers) > 2 else number_literal(1)
    template = (
        f"RANGE(a, CASE WHEN c = 0 OR (b - a) / c > {LONGEST} THEN"
        " ERROR('range() makes at most ten thousand numbers.') ELSE b END, c)"
    )
    return Typed(filled(template, [start, end, step]), "[number]")


def _length(translation: Translation, nodes: list[Any]) -> Typed:
    of = translation.typed(nodes[0])
    if of.kind.startswith("["):
        return Typed(call("len", of.tree), "number")
    return translation.call("length", nodes)


def _is_empty(name: str, template: str) -> Callable[[Translation, list[Any]], Typed]:
    def found(translation: Translation, nodes: list[Any]) -> Typed:
        of = translation.typed(nodes[0])
        if of.kind.startswith("["):
            return Typed(filled(template, [of.tree]), "bool")
        return translation.call(name, nodes)

    return found


def _json(translation: Translation, of: Typed) -> Tree:
    """Return JSON to look into; NULL where a text is none."""
    if of.kind == "json":
        return of.tree
    text = translation.converted(of, "text")
    return filled("CASE WHEN JSON_VALID(a) THEN CAST(a AS JSON) END", [text])


def _pointer(translation: Translation, keys: list[Any]) -> Tree:
    """Return a path: names of keys, and places in lists counted from 1."""
    path: list[Tree] = []
    for key in keys:
        if isinstance(key, exp.Literal) and key.is_string:
            step = key.name.replace("~", "~0").replace("/", "~1")
            path.append(translation.source.values.bind(f"/{step}"))
        elif isinstance(key, exp.Literal) and key.name.isdigit() and int(key.name) > 0:
            path.append(text_literal(f"/{int(key.name) - 1}"))
        else:
            raise InvalidQuery(
                f"{shown(key)} is no constant key.", hint="Use texts, or numbers from 1."
            )
    return call("concat", *path) if path else text_literal("")


def _json_text(translation: Translation, of: Typed, keys: list[Any]) -> Tree:
    return call("json_extract_string", _json(translation, of), _pointer(translation, keys))


def _extracted(template: str, kind: str) -> Callable[[Translation, list[Any]], Typed]:
    """Return a function of the value (``a`` as text, ``b`` as JSON) at a path."""

    def found(translation: Translation, nodes: list[Any]) -> Typed:
        of = translation.typed(nodes[0])
        text = _json_text(translation, of, nodes[1:])
        pointer = _pointer(translation, nodes[1:])
        json = call("json_extract", _json(translation, of), pointer)
        return Typed(filled(template, [text, json]), kind)

    return found


def _json_number(translation: Translation, nodes: list[Any], *, whole: bool) -> Typed:
    text = _json_text(translation, translation.typed(nodes[0]), nodes[1:])
    number = translation.source.dialect.number(text)
    tree = filled("TRY_CAST(TRUNC(a) AS BIGINT)", [number]) if whole else number
    return Typed(filled("COALESCE(a, 0)", [tree]), "number")


Special = Callable[[Translation, list[Any]], Typed]
_WITH_LAMBDA: dict[str, Special] = {
    "arrayMap": _map,
    "arrayFilter": _filter,
    "arrayFirst": _first,
    "arrayExists": _truths("COALESCE(LIST_BOOL_OR(a), FALSE)", "bool"),
    "arrayAll": _truths("COALESCE(LIST_BOOL_AND(a), TRUE)", "bool"),
    "arrayCount": _truths("LEN(LIST_FILTER(a, LAMBDA w: w))", "number"),
    "arraySum": _summed("COALESCE(LIST_SUM(a), 0)"),
    "arrayAvg": _summed("LIST_AVG(a)"),
    "arrayMin": _summed("LIST_MIN(a)"),
    "arrayMax": _summed("LIST_MAX(a)"),
    "arraySort": _sort(descending=False),
    "arrayReverseSort": _sort(descending=True),
}
SPECIAL: dict[str, tuple[int, int, Special]] = {
    **{name: (1, 5, made) for name, made in _WITH_LAMBDA.items()},
    "array": (0, 1000, lambda t, nodes: array(t, exp.Array(expressions=nodes))),
    "tuple": (1, 100, _tuple),
    "map": (2, 100, _map_of),
    "format": (1, 100, _format),
    "tupleElement": (2, 2, _element),
    "range": (1, 3, _range),
    "length": (1, 1, _length),
    "empty": (1, 1, _is_empty("empty", "LEN(a) = 0")),
    "notEmpty": (1, 1, _is_empty("notEmpty", "LEN(a) > 0")),
    "JSONExtractString": (1, 20, _extracted("COALESCE(a, '')", "text")),
    "JSONExtractRaw": (1, 20, _extracted("COALESCE(CAST(b AS TEXT), '')", "text")),
    "JSONExtractBool": (1, 20, _extracted("COALESCE(a = 'true', FALSE)", "bool")),
    "JSONExtractInt": (1, 20, lambda t, nodes: _json_number(t, nodes, whole=True)),
    "JSONExtractUInt": (1, 20, lambda t, nodes: _json_number(t, nodes, whole=True)),
    "JSONExtractFloat": (1, 20, lambda t, nodes: _json_number(t, nodes, whole=False)),
    "JSONExtractArrayRaw": (
        1,
        20,
        _extracted(
            "CASE WHEN JSON_TYPE(b) = 'ARRAY' THEN LIST_TRANSFORM(CAST(b AS JSON[]),"
            " LAMBDA w: CAST(w AS TEXT)) ELSE [] END",
            "[text]",
        ),
    ),
    "JSONExtractKeys": (1, 20, _extracted("COALESCE(JSON_KEYS(b), [])", "[text]")),
    "JSONHas": (1, 20, _extracted("b IS NOT NULL", "bool")),
    "JSONType": (1, 20, _extracted("JSON_TYPE(b)", "text")),
    "JSONLength": (
        1,
        20,
        _extracted(
            "CASE JSON_TYPE(b) WHEN 'ARRAY' THEN JSON_ARRAY_LENGTH(b)"
            " WHEN 'OBJECT' THEN LEN(JSON_KEYS(b)) ELSE 0 END",
            "number",
        ),
    ),
    "isValidJSON": (
        1,
        1,
        lambda t, n: Typed(call("json_valid", t.kind_of(n[0], "text")), "bool"),
    ),
}
"""Least and most arguments, and what it becomes."""
