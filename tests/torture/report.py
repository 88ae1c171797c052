"""The table that says what was tried and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.torture import Count

_SHOWN = 5
"""Wrong ones of a row that are told in full."""


@dataclass(frozen=True, slots=True)
class Row:
    """What one part counted; `name` is what `--only` takes."""

    name: str
    title: str
    count: Count

    @property
    def n_wrong(self) -> int:
        return self.count.tried - self.count.right


def line(row: Row) -> str:
    """One row for somebody who is watching."""
    count = row.count
    wrong = f", {row.n_wrong} WRONG" if row.n_wrong else ""
    return f"{row.title}: {count.what}: {count.right} of {count.tried} as it should be{wrong}"


def table(rows: Sequence[Row]) -> str:
    """All rows as a Markdown table, with the sum in the last one."""
    lines = [
        "| part | what | tried | as it should be | wrong |",
        "|---|---|--:|--:|--:|",
    ]
    for row in rows:
        cells = (row.title, row.count.what, row.count.tried, row.count.right, row.n_wrong)
        lines.append("| " + " | ".join(_cell(value) for value in cells) + " |")
    tried, right, wrong = (
        sum(row.count.tried for row in rows),
        sum(row.count.right for row in rows),
        sum(row.n_wrong for row in rows),
    )
    lines.append(f"| **all** | | **{tried:,}** | **{right:,}** | **{wrong:,}** |")
    return "\n".join(lines)


def wrong_ones(rows: Sequence[Row], seed: int) -> str:
    """The first few wrong ones of each row in full, and how to try them again; "" without any."""
    parts = []
    for row in rows:
        if not row.n_wrong:
            continue
        told = "\n".join(f"- {sentence}" for sentence in row.count.wrong[:_SHOWN])
        more = row.n_wrong - min(_SHOWN, len(row.count.wrong))
        parts.append(
            f"{row.title}: {row.count.what}\n{told}\n"
            + (f"- and {more} more\n" if more else "")
            + f"Again: python -m tests.torture --only {row.name} --seed {seed}"
        )
    return "\n\n".join(parts)


def _cell(value: object) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    return str(value).replace("|", "\\|").replace("\n", " ")
