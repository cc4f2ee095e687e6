"""Formulas over series: ``A / B * 100`` (``insights-trends`` §9).

A small recursive descent over numbers, series letters, ``+ - * / % **``, signs and
brackets. Power binds tightest and to the right, so ``-2 ** 2`` is -4. Whatever has no
value, such as a division by zero, is 0.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence

import msgspec

from hedgerow.errors import InvalidQuery
from hedgerow.query.definitions_trends import TrendsFilter

Evaluate = Callable[[Mapping[str, float]], float]

_TOKEN = re.compile(
    r"\s*(?:(\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+)|([A-Za-z]\w*)|(\*\*|[-+*/%()]))"
)
DEEPEST = 100


class Formula(msgspec.Struct, frozen=True, kw_only=True):
    """A formula and what its rows are called."""

    text: str
    label: str
    path: str


def formulas_of(given: TrendsFilter | None) -> list[Formula]:
    """Return the formulas asked for: nodes win over the list, which wins over the one."""
    if given is None:
        return []
    if given.formula_nodes:
        return [
            _formula(one.formula, one.custom_name, f"formulaNodes[{index}].formula")
            for index, one in enumerate(given.formula_nodes)
        ]
    if given.formulas:
        return [
            _formula(text, None, f"formulas[{index}]")
            for index, text in enumerate(given.formulas)
        ]
    return [_formula(given.formula, None, "formula")] if given.formula else []


def _formula(text: str, custom_name: str | None, field: str) -> Formula:
    return Formula(
        text=text, label=custom_name or f"Formula ({text})", path=f"trendsFilter.{field}"
    )


def compiled(formula: Formula, series: int) -> Evaluate:
    """Return the formula as a function of the series' values, by upper-case letter.

    Raises InvalidQuery where it is no formula, or names a series that does not exist.
    """
    return _Parser(formula, series).whole()


class _Parser:
    """Reads one formula from left to right."""

    def __init__(self, formula: Formula, series: int) -> None:
        self.formula = formula
        self.letters = {chr(ord("A") + index) for index in range(series)}
        self.tokens = self._tokens()
        self.place = 0
        self.depth = 0

    def whole(self) -> Evaluate:
        found = self._sum()
        if self._peek() is not None:
            raise self._refusal(f"{self._peek()!r} is not expected")
        return lambda values: _finite(lambda: found(values))

    def _tokens(self) -> list[str]:
        text, found, place = self.formula.text.strip(), [], 0
        while place < len(text):
            match = _TOKEN.match(text, place)
            if match is None:
                raise self._refusal(f"{text[place:].strip()[:20]!r} is not expected")
            found.append(match[match.lastindex or 0])
            place = match.end()
        return found

    def _refusal(self, problem: str) -> InvalidQuery:
        letters = ", ".join(sorted(self.letters))
        return InvalidQuery(
            f"The formula {self.formula.text!r} cannot be read: {problem}.",
            hint=f"Use numbers, the series {letters}, + - * / % ** and brackets.",
            attr=self.formula.path,
        )

    def _peek(self) -> str | None:
        return self.tokens[self.place] if self.place < len(self.tokens) else None

    def _take(self, *wanted: str) -> str | None:
        token = self._peek()
        if token is None or token not in wanted:
            return None
        self.place += 1
        return token

    def _sum(self) -> Evaluate:
        return self._chain(self._product, "+", "-")

    def _product(self) -> Evaluate:
        return self._chain(self._signed, "*", "/", "%")

    def _chain(self, part: Callable[[], Evaluate], *operators: str) -> Evaluate:
        found = part()
        while operator := self._take(*operators):
            found = _binary(operator, found, part())
        return found

    def _signed(self) -> Evaluate:
        sign = self._take("+", "-")
        if sign is None:
            return self._power()
        inner = self._deeper(self._signed)
        return inner if sign == "+" else lambda values: -inner(values)

    def _power(self) -> Evaluate:
        base = self._atom()
        return _binary("**", base, self._deeper(self._signed)) if self._take("**") else base

    def _atom(self) -> Evaluate:
        token = self._peek()
        if token is None:
            raise self._refusal("it ends too early")
        self.place += 1
        if token == "(":  # noqa: S105 - a bracket, not a password
            inner = self._deeper(self._sum)
            if not self._take(")"):
                raise self._refusal("a bracket is not closed")
            return inner
        if token.upper() in self.letters and self._peek() != "(":
            letter = token.upper()
            return lambda values: values[letter]
        if token[0].isdigit() or token[0] == ".":
            number = float(token)
            return lambda _: number
        raise self._refusal(f"{token!r} is not expected")

    def _deeper(self, part: Callable[[], Evaluate]) -> Evaluate:
        self.depth += 1
        if self.depth > DEEPEST:
            raise self._refusal("it is nested too deeply")
        found = part()
        self.depth -= 1
        return found


def _binary(operator: str, left: Evaluate, right: Evaluate) -> Evaluate:
    calculate = _OPERATORS[operator]
    return lambda values: _finite(lambda: calculate(left(values), right(values)))


_OPERATORS: dict[str, Callable[[float, float], float]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b if b else 0.0,
    "%": lambda a, b: a % b if b else 0.0,
    "**": math.pow,
}


def _finite(calculate: Callable[[], float]) -> float:
    """Return a number, 0 where there is none."""
    try:
        found = calculate()
    except (ArithmeticError, ValueError):
        return 0.0
    return found if math.isfinite(found) else 0.0


def series_of(values: Sequence[float]) -> dict[str, float]:
    """Return the values of the series under their letters."""
    return {chr(ord("A") + index): value for index, value in enumerate(values)}
