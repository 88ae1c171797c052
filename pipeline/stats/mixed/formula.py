"""Model formulas in lme4's syntax: `y ~ x + speaker * age + (1 + x | child) + (1 | child:item)`.

The fixed part follows Wilkinson and Rogers as R reads them: `+ - * : / ^` and parentheses. Nothing
in a formula is ever run as code.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.errors import FitError
from pipeline.stats.mixed.expression import Call, Column, Expression, column_names, parse_variable
from pipeline.stats.mixed.tokens import Kind, TokenReader

Variable = Column | Call
Term = tuple[Variable, ...]
"""Variables multiplied with each other; none for the intercept."""

INTERCEPT: Term = ()
_MOST_TERMS = 500


@dataclass(frozen=True, slots=True)
class Terms:
    """Terms of one side: main effects first, then interactions of two, of three ..."""

    has_intercept: bool
    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class RandomSpec:
    """`(terms | group)`: effects that vary over the combinations of the `columns`.

    `group` is the factor's name as lme4 writes it; `is_correlated` False is `||`.
    """

    group: str
    columns: tuple[str, ...]
    effects: Terms
    is_correlated: bool


@dataclass(frozen=True, slots=True)
class Formula:
    """`successes` and `failures` are set for `cbind(successes, failures)`, else `response`."""

    text: str
    response: Expression
    failures: Expression | None
    fixed: Terms
    random: tuple[RandomSpec, ...]

    @property
    def response_text(self) -> str:
        if self.failures is None:
            return self.response.text
        return f"cbind({self.response.text}, {self.failures.text})"

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column the model needs, each once."""
        expressions: list[Expression] = [self.response]
        if self.failures is not None:
            expressions.append(self.failures)
        grouping: list[str] = []
        for terms in (self.fixed, *(spec.effects for spec in self.random)):
            expressions.extend(variable for term in terms.terms for variable in term)
        for spec in self.random:
            grouping.extend(spec.columns)
        named = [name for expression in expressions for name in column_names(expression)]
        return tuple(dict.fromkeys((*named, *grouping)))


def parse_formula(text: str) -> Formula:
    """Read a formula. Raises FitError with the place where it cannot be read."""
    reader = TokenReader(text)
    if not text.strip():
        raise reader.refused("there is none")
    response, failures = _response(reader)
    reader.take_sign("~")
    fixed, random = _right_side(reader)
    if reader.peek.kind is not Kind.END:
        if reader.is_sign("|", "||"):
            raise FitError(
                "A random effect stands without parentheses.", hint="Write (1 | child), for one."
            )
        raise reader.refused("a sign is missing")
    return Formula(" ".join(text.split()), response, failures, fixed, random)


def _response(reader: TokenReader) -> tuple[Expression, Expression | None]:
    if reader.is_call() and reader.peek.text == "cbind":
        reader.take()
        reader.take_sign("(")
        successes = parse_variable(reader)
        reader.take_sign(",")
        failures = parse_variable(reader)
        reader.take_sign(")")
        return successes, failures
    if reader.is_sign("~"):
        raise FitError(
            "The formula names no response.", hint="Write what is explained first: y ~ x + ..."
        )
    return parse_variable(reader), None


def _right_side(reader: TokenReader) -> tuple[Terms, tuple[RandomSpec, ...]]:
    found: list[Term] = [INTERCEPT]
    mentioned: list[Term] = []
    random: list[RandomSpec] = []
    is_removed = False
    if reader.is_sign("+", "-"):
        is_removed = reader.take().text == "-"
    while True:
        if reader.is_random() and not is_removed:
            random.extend(_random_terms(reader))
        else:
            terms = _product(reader)
            mentioned.extend([] if isinstance(terms, int) else terms)
            _apply(found, terms, is_removed=is_removed)
        if not reader.is_sign("+", "-"):
            return _ordered(found, mentioned), tuple(random)
        is_removed = reader.take().text == "-"


def _random_terms(reader: TokenReader) -> list[RandomSpec]:
    reader.take_sign("(")
    varying = _sum(reader, [INTERCEPT])
    effects = _ordered(varying, varying)
    is_correlated = reader.take_sign("|", "||") == "|"
    nested = [_crossed_names(reader)]
    while reader.is_sign("/"):
        reader.take()
        nested.append(_crossed_names(reader))
    if not reader.is_sign(")"):
        raise reader.refused(
            "a group is a column, or columns joined by ':' or '/'; write one pair of parentheses "
            "for each group; a ')' is missing"
        )
    reader.take()
    if not effects.has_intercept and not effects.terms:
        raise FitError("A random effect has nothing that varies: (0 | ...).", hint="Leave it out.")
    specs = []
    for depth in range(1, len(nested) + 1):
        # lme4 names child/recording "recording:child".
        parts = nested[:depth][::-1]
        columns = tuple(dict.fromkeys(name for names in parts for name in names))
        specs.append(RandomSpec(":".join(columns), columns, effects, is_correlated))
    return specs


def _crossed_names(reader: TokenReader) -> tuple[str, ...]:
    names: list[str] = []
    while True:
        if reader.peek.kind is not Kind.NAME or reader.is_call():
            raise reader.refused("the name of a grouping column is missing")
        names.append(reader.take().text)
        if not reader.is_sign(":"):
            return tuple(names)
        reader.take()


def _sum(reader: TokenReader, start: Iterable[Term]) -> list[Term]:
    found = list(start)
    is_removed = False
    if reader.is_sign("+", "-"):
        is_removed = reader.take().text == "-"
    while True:
        _apply(found, _product(reader), is_removed=is_removed)
        if not reader.is_sign("+", "-"):
            return found
        is_removed = reader.take().text == "-"


def _apply(found: list[Term], terms: list[Term] | int, *, is_removed: bool) -> None:
    """Add terms to what was found, or take them out; the numbers 0 and 1 are the intercept."""
    if isinstance(terms, int):
        is_removed = is_removed != (terms == 0)
        terms = [INTERCEPT]
    known = {_key(term): term for term in found}
    for term in terms:
        if is_removed:
            known.pop(_key(term), None)
        else:
            known.setdefault(_key(term), term)
    found[:] = known.values()
    if len(found) > _MOST_TERMS:
        raise _too_many()


def _product(reader: TokenReader) -> list[Term] | int:
    left = _interaction(reader)
    while reader.is_sign("*", "/"):
        is_nested = reader.take().text == "/"
        right = _terms(_interaction(reader), reader)
        left = _terms(left, reader)
        whole = [_joined(left)] if is_nested else left
        both = [_joined((a, b)) for a in whole for b in right]
        left = _unique([*left, *([] if is_nested else right), *both])
    return left


def _interaction(reader: TokenReader) -> list[Term] | int:
    left = _power(reader)
    while reader.is_sign(":"):
        reader.take()
        right = _terms(_power(reader), reader)
        left = _unique(_joined((a, b)) for a in _terms(left, reader) for b in right)
    return left


def _power(reader: TokenReader) -> list[Term] | int:
    base = _atom(reader)
    if not reader.is_sign("^"):
        return base
    reader.take()
    token = reader.take()
    if token.kind is not Kind.NUMBER or token.text not in ("1", "2", "3", "4"):
        raise FitError(
            f"In a formula ^ must be followed by 1 to 4, not {token.text}.",
            hint="It asks for interactions: (a + b)^2. For a power of a column write I(x^2).",
        )
    terms = _terms(base, reader)
    found = terms
    for _ in range(int(token.text) - 1):
        found = _unique([*found, *(_joined((a, b)) for a in found for b in terms)])
    return found


def _atom(reader: TokenReader) -> list[Term] | int:
    token = reader.peek
    if token.kind is Kind.NUMBER:
        if token.text not in ("0", "1"):
            raise reader.refused("only the numbers 0 and 1 stand for something (the intercept)")
        return int(reader.take().text)
    if reader.is_random():
        raise FitError(
            "A random effect must be added with +.", hint="For example: y ~ x + (1 | child)."
        )
    if reader.is_sign("("):
        reader.take()
        inner = _sum(reader, ())
        reader.take_sign(")")
        return inner
    if token.kind is Kind.NAME and token.text == ".":
        raise FitError("A formula cannot use '.' for all columns.", hint="Name the columns.")
    return [(parse_variable(reader),)]


def _terms(found: list[Term] | int, reader: TokenReader) -> list[Term]:
    if isinstance(found, int):
        raise reader.refused("a number cannot be multiplied with a column")
    return found


def _key(term: Term) -> frozenset[str]:
    return frozenset(variable.text for variable in term)


def _joined(terms: Iterable[Term]) -> Term:
    """The interaction of terms; a variable counts once."""
    return tuple({variable.text: variable for term in terms for variable in term}.values())


def _unique(terms: Iterable[Term]) -> list[Term]:
    found: dict[frozenset[str], Term] = {}
    for term in terms:
        found.setdefault(_key(term), term)
        if len(found) > _MOST_TERMS:
            raise _too_many()
    return list(found.values())


def _too_many() -> FitError:
    return FitError(
        f"The formula has more than {_MOST_TERMS} terms.", hint="Ask for fewer interactions."
    )


def _ordered(terms: list[Term], mentioned: list[Term]) -> Terms:
    """Terms by their number of variables, the variables of each in the order in which they were
    first mentioned, as R has it: `b + a:b` gives `b:a`."""
    seen: dict[str, int] = {}
    for term in mentioned:
        for variable in term:
            seen.setdefault(variable.text, len(seen))
    sorted_terms = [tuple(sorted(term, key=lambda v: seen[v.text])) for term in terms if term]
    return Terms(INTERCEPT in terms, tuple(sorted(sorted_terms, key=len)))
