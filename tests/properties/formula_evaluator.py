"""Evaluates formulas of explanations in exact fractions, knowing nothing of how the exchange computes anything."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import lru_cache
from math import ceil, floor

MILLION = 10**6
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?\Z")


def up(value: Fraction) -> Fraction:
    """Round toward plus infinity at 0.000001."""
    return Fraction(ceil(value * MILLION), MILLION)


def down(value: Fraction) -> Fraction:
    """Round toward minus infinity at 0.000001."""
    return Fraction(floor(value * MILLION), MILLION)


FUNCTIONS: Mapping[str, Callable[..., Fraction]] = {
    "up": up,
    "down": down,
    "min": min,
    "max": max,
    "abs": abs,
    "ceil": lambda value: Fraction(ceil(value)),
    "floor": lambda value: Fraction(floor(value)),
}
OPERATORS: Mapping[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
RELATIONS: Mapping[str, Callable[[Fraction, Fraction], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
}


def evaluate(formula: str, values: Mapping[str, Fraction] | None = None) -> Fraction:
    """Return what a formula comes to; ``KeyError`` for a name that has no value, ``ValueError`` for anything else strange."""
    if _NUMBER.match(formula):
        return Fraction(formula)
    if values:
        return _value(_parsed(formula), formula, values)
    return _value(ast.parse(formula, mode="eval").body, formula, {})


@lru_cache(maxsize=20_000)
def _parsed(formula: str) -> ast.expr:
    """Return the tree of a formula in names, of which many explanations have the same."""
    return ast.parse(formula, mode="eval").body


def holds(left: str, relation: str, right: str, values: Mapping[str, Fraction] | None = None) -> bool:
    """Return whether a comparison of two formulas is true."""
    return RELATIONS[relation](evaluate(left, values), evaluate(right, values))


def number_relation_holds(text: str) -> bool:
    """Return whether a comparison with its numbers put in is true."""
    words = text.split(" ")
    (place,) = [index for index, word in enumerate(words) if word in RELATIONS]
    return holds(" ".join(words[:place]), words[place], " ".join(words[place + 1 :]))


def concludes(conclusion: str, checks: Mapping[str, bool]) -> bool:
    """Return what the names of checks come to, combined with ``and``, ``or`` and ``not``."""
    return _truth(ast.parse(conclusion, mode="eval").body, conclusion, checks)


def _value(node: ast.expr, formula: str, values: Mapping[str, Fraction]) -> Fraction:
    match node:
        case ast.Constant():
            text = ast.get_source_segment(formula, node)
            assert text is not None, "a constant has its text"
            return Fraction(text)
        case ast.Name(id=name):
            return values[name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand, formula, values)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATORS:
            return OPERATORS[type(op)](_value(left, formula, values), _value(right, formula, values))
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in FUNCTIONS:
            return FUNCTIONS[name](*(_value(each, formula, values) for each in args))
        case _:
            raise ValueError(f"no formula: {formula}")


def _truth(node: ast.expr, conclusion: str, checks: Mapping[str, bool]) -> bool:
    match node:
        case ast.Name(id=name):
            return checks[name]
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return not _truth(operand, conclusion, checks)
        case ast.BoolOp(op=ast.And(), values=parts):
            return all(_truth(part, conclusion, checks) for part in parts)
        case ast.BoolOp(op=ast.Or(), values=parts):
            return any(_truth(part, conclusion, checks) for part in parts)
        case _:
            raise ValueError(f"no conclusion: {conclusion}")
