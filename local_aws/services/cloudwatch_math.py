"""Metric math: the expressions of GetMetricData over series that were read before.

    expression  := or ;  or := and ("||" and)* ;  and := comparison ("&&" comparison)*
    comparison  := sum (("<" | "<=" | ">" | ">=" | "==" | "!=") sum)*
    sum         := product (("+" | "-") product)* ;  product := power (("*" | "/") power)*
    power       := "-" power | primary ("^" power)?
    primary     := number | id | function "(" … ")" | "[" … "]" | "(" expression ")"

A value is a number, a series or a list of series. Where two series meet, only the moments that both have count.
"""

import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from local_aws.services import cloudwatch_functions as functions
from local_aws.services.cloudwatch_functions import ExpressionError, Grid, Series, Value

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\.\d+)|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r'|(?P<text>"[^"]*"|\'[^\']*\')|(?P<sign><=|>=|==|!=|&&|\|\||[-+*/^()\[\],<>]))'
)
_KEYWORDS = {"AND": "&&", "OR": "||"}
DEEPEST = 40  # of brackets in one expression
_SIGNS: tuple[dict[str, Callable[[float, float], float]], ...] = (
    {"||": lambda a, b: float(bool(a) or bool(b))},
    {"&&": lambda a, b: float(bool(a) and bool(b))},
    {
        "<": lambda a, b: float(a < b),
        "<=": lambda a, b: float(a <= b),
        ">": lambda a, b: float(a > b),
        ">=": lambda a, b: float(a >= b),
        "==": lambda a, b: float(a == b),
        "!=": lambda a, b: float(a != b),
    },
    {"+": operator.add, "-": operator.sub},
    {"*": operator.mul, "/": operator.truediv},
)
_BY_SIGN = {"^": math.pow} | {sign: function for signs in _SIGNS for sign, function in signs.items()}


@dataclass(frozen=True)
class Node:
    """A part of an expression: kind is number, name, text, list, call, negative, power or chain.

    A chain is parts with signs of one rank between them (`text`, apart by spaces), worked out from the left.
    """

    kind: str
    text: str = ""
    parts: tuple["Node", ...] = ()

    def names(self) -> set[str]:
        """The ids that it refers to."""
        own = {self.text} if self.kind == "name" else set()
        return own.union(*(part.names() for part in self.parts))


def parse(text: str) -> Node:
    """Raises ExpressionError where it is none, or uses a function that is not part of this."""
    if re.match(r"\s*SELECT\s", text):
        raise ExpressionError("The embedded AWS cannot do Metrics Insights queries (SELECT …) yet")
    return _Parser(_tokens(text)).whole()


def _tokens(text: str) -> list[tuple[str, str]]:
    found, at = [], 0
    text = text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise ExpressionError(f"Syntax error at character {at + 1}")
        kind = match.lastgroup or ""
        token = match[kind]
        found.append(("sign", _KEYWORDS[token]) if token in _KEYWORDS else (kind, token))
        at = match.end()
    return found


class _Parser:
    def __init__(self, tokens: Sequence[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    def whole(self) -> Node:
        node = self._binary(0)
        if self._at < len(self._tokens):
            raise ExpressionError(f"Syntax error near {self._tokens[self._at][1]}")
        return node

    def _next(self) -> tuple[str, str]:
        if self._at >= len(self._tokens):
            raise ExpressionError("Syntax error: the expression ends early")
        self._at += 1
        return self._tokens[self._at - 1]

    def _took(self, *signs: str) -> str:
        if self._at < len(self._tokens):
            kind, text = self._tokens[self._at]
            if kind == "sign" and text in signs:
                self._at += 1
                return text
        return ""

    def _need(self, sign: str) -> None:
        if not self._took(sign):
            raise ExpressionError(f"Syntax error: {sign} is missing")

    def _binary(self, level: int) -> Node:
        if level == len(_SIGNS):
            return self._power()
        parts, signs = [self._binary(level + 1)], []
        while sign := self._took(*_SIGNS[level]):
            signs.append(sign)
            parts.append(self._binary(level + 1))
        return Node("chain", " ".join(signs), tuple(parts)) if signs else parts[0]

    def _power(self) -> Node:
        self._depth += 1
        if self._depth > DEEPEST:
            raise ExpressionError("The expression is nested too deeply")
        try:
            if self._took("-"):
                return Node("negative", parts=(self._power(),))
            node = self._primary()
            return Node("power", parts=(node, self._power())) if self._took("^") else node
        finally:
            self._depth -= 1

    def _primary(self) -> Node:
        kind, text = self._next()
        if kind == "number":
            return Node("number", text)
        if kind == "text":
            return Node("text", text[1:-1])
        if kind == "name":
            if not self._took("("):
                return Node("name", text)
            functions.check(text)
            return Node("call", text, self._listed(")"))
        if text == "[":
            return Node("list", parts=self._listed("]"))
        if text != "(":
            raise ExpressionError(f"Syntax error near {text}")
        node = self._binary(0)
        self._need(")")
        return node

    def _listed(self, close: str) -> tuple[Node, ...]:
        found: list[Node] = []
        while not self._took(close):
            if found:
                self._need(",")
            found.append(self._binary(0))
        return tuple(found)


def evaluate(node: Node, known: Mapping[str, Value], metrics: Sequence[Series], grid: Grid) -> Value:
    """known: values by id; metrics: what METRICS() means; grid: the moments of the answer. Raises ExpressionError."""
    match node.kind:
        case "number":
            return float(node.text)
        case "text":
            raise ExpressionError(f'The text "{node.text}" has no place here')
        case "name":
            if node.text not in known:
                raise ExpressionError(f"Unrecognized identifier {node.text}")
            return known[node.text]
        case "list":
            return functions.gathered([evaluate(part, known, metrics, grid) for part in node.parts])
        case "negative":
            return functions.each(operator.neg, evaluate(node.parts[0], known, metrics, grid))
        case "call":
            return _called(node, known, metrics, grid)
    value = evaluate(node.parts[0], known, metrics, grid)
    for sign, part in zip(node.text.split() or ["^"], node.parts[1:], strict=True):
        value = functions.both(_BY_SIGN[sign], value, evaluate(part, known, metrics, grid))
    return value


def _called(node: Node, known: Mapping[str, Value], metrics: Sequence[Series], grid: Grid) -> Value:
    if node.text == "METRICS":
        wanted = node.parts[0].text if node.parts else ""
        return [series for series in metrics if wanted in series.id]
    arguments: list[Value | str] = []
    for number, part in enumerate(node.parts):
        word = part.kind == "name" and part.text in functions.WORDS and number > 0
        arguments.append(part.text if word else evaluate(part, known, metrics, grid))
    return functions.call(node.text, arguments, grid)
