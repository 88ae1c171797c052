"""A formula cut into words: names, numbers and signs, nothing else."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from pipeline.errors import FitError

MAX_LENGTH = 10_000
_MOST_TOKENS, _DEEPEST = 500, 40
"""Words and nested parentheses of a formula. They are followed by recursion, so this bounds it."""

_SYNTAX_HINT = (
    "Write it as in lme4, for example: share ~ speaker + age + (1 | child). Put names with "
    "spaces or signs between backticks: `my column`."
)


class Kind(Enum):
    NAME = "name"
    NUMBER = "number"
    SIGN = "sign"
    END = "end"


@dataclass(frozen=True, slots=True)
class Token:
    """`text` is the name without backticks, the digits, or the sign; `at` its place from 0."""

    kind: Kind
    text: str
    at: int


_PATTERN = re.compile(
    r"\s*(?:(?P<quoted>`[^`]+`)"
    r"|(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
    r"|(?P<name>[^\W\d][\w.]*|\.[^\W\d][\w.]*|\.)"
    r"|(?P<sign>\|\||<=|>=|==|[~+\-*/:^|(),<>]))"
)


def tokens_of(formula: str) -> list[Token]:
    """Words of a formula, the last of kind END. Raises FitError at a sign that has no place."""
    if len(formula) > MAX_LENGTH:
        raise FitError(
            f"The formula has {len(formula):,} characters; at most {MAX_LENGTH:,} are read.",
            hint="Give the columns shorter names.",
        )
    tokens: list[Token] = []
    at = depth = 0
    while formula[at:].strip():
        match = _PATTERN.match(formula, at)
        if match is None:
            at += len(formula[at:]) - len(formula[at:].lstrip())
            raise FitError(
                f"The formula cannot be read at {formula[at : at + 12]!r}.", hint=_SYNTAX_HINT
            )
        kind = match.lastgroup
        text = match.group(kind or 0)
        start = match.end() - len(text)
        if kind == "quoted":
            tokens.append(Token(Kind.NAME, text[1:-1], start))
        else:
            tokens.append(Token(Kind(kind), text, start))
        depth += (text == "(") - (text == ")")
        if len(tokens) > _MOST_TOKENS or depth > _DEEPEST:
            raise FitError(
                f"The formula is too long: at most {_MOST_TOKENS} names and signs and {_DEEPEST} "
                "nested parentheses are read.",
                hint="Use fewer terms.",
            )
        at = match.end()
    tokens.append(Token(Kind.END, "the end", len(formula)))
    return tokens


class TokenReader:
    """Walks along the words of a formula."""

    def __init__(self, formula: str) -> None:
        self._formula = formula
        self._tokens = tokens_of(formula)
        self._next = 0

    @property
    def peek(self) -> Token:
        return self._tokens[self._next]

    def is_sign(self, *signs: str) -> bool:
        return self.peek.kind is Kind.SIGN and self.peek.text in signs

    def is_call(self) -> bool:
        """Whether a name with an opening parenthesis follows."""
        if self.peek.kind is not Kind.NAME:
            return False
        after = self._tokens[self._next + 1]
        return after.kind is Kind.SIGN and after.text == "("

    def is_random(self) -> bool:
        """Whether parentheses with a bar directly inside follow."""
        if not self.is_sign("("):
            return False
        depth = 0
        for token in self._tokens[self._next :]:
            if token.kind is not Kind.SIGN:
                continue
            depth += (token.text == "(") - (token.text == ")")
            if depth == 0:
                return False
            if depth == 1 and token.text in ("|", "||"):
                return True
        return False

    def take(self) -> Token:
        token = self.peek
        if token.kind is not Kind.END:
            self._next += 1
        return token

    def take_sign(self, *signs: str) -> str:
        """The sign that must come now; FitError otherwise."""
        if not self.is_sign(*signs):
            raise self.refused(f"{' or '.join(repr(sign) for sign in signs)} is missing")
        return self.take().text

    def refused(self, why: str) -> FitError:
        """The error that says where reading stopped."""
        rest = self._formula[self.peek.at :].strip()
        place = f"before {rest[:20]!r}" if rest else "at its end"
        return FitError(f"The formula cannot be read: {why} {place}.", hint=_SYNTAX_HINT)
