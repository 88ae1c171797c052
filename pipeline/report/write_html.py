"""A report as one HTML file: everything in it, no script, nothing fetched from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from importlib.resources import files

import numpy as np

from pipeline import labels
from pipeline.look import DARK, LIGHT, Look
from pipeline.report.document import (
    Block,
    Bullets,
    Cell,
    Heading,
    Paragraph,
    Report,
    ReportFigure,
    ReportTable,
    Section,
    Verbatim,
)
from pipeline.report.svg import inline_svg

TABLES, FIGURES = "tables", "figures"
"""Folders beside the HTML file."""


def html_text(report: Report) -> str:
    """The whole page."""
    style = files("pipeline.report").joinpath("report.css").read_text(encoding="utf-8")
    counter = _Counter()
    body = "\n".join(_section(section, number, counter) for number, section in _numbered(report))
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{escape(report.title)}</title>
<style>
{_colours()}
{style}</style>
</head>
<body>
<header>
<h1>{escape(report.title)}</h1>
{_facts(report)}
</header>
{_contents(report)}
<main>
{body}
</main>
</body>
</html>
"""


class _Counter:
    """Numbers of tables and figures, from 1 on through the whole report."""

    def __init__(self) -> None:
        self.n_tables = 0
        self.n_figures = 0


def _numbered(report: Report) -> Iterator[tuple[int, Section]]:
    return iter(enumerate(report.sections, start=1))


def _facts(report: Report) -> str:
    rows = "\n".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>"
        for name, value in (*report.facts, ("Report made", report.made_on))
    )
    return f"<dl>\n{rows}\n</dl>"


def _contents(report: Report) -> str:
    entries = "\n".join(
        f'<li><a href="#{escape(section.name)}">{escape(section.title)}</a></li>'
        for section in report.sections
    )
    return f'<nav aria-label="Contents">\n<ol>\n{entries}\n</ol>\n</nav>'


def _section(section: Section, number: int, counter: _Counter) -> str:
    blocks = "\n".join(_block(block, counter) for block in section.blocks)
    name = escape(section.name)
    return (
        f'<section id="{name}" aria-labelledby="{name}-title">\n'
        f'<h2 id="{name}-title"><span>{number}</span> {escape(section.title)}</h2>\n'
        f"{blocks}\n</section>"
    )


def _block(block: Block, counter: _Counter) -> str:
    if isinstance(block, Paragraph):
        kind = "" if block.kind == "plain" else f' class="{block.kind}"'
        return f"<p{kind}>{escape(block.text)}</p>"
    if isinstance(block, Heading):
        return f"<h3>{escape(block.text)}</h3>"
    if isinstance(block, Bullets):
        return _bullets(block)
    if isinstance(block, Verbatim):
        return f"<pre>{escape(block.text)}</pre>"
    if isinstance(block, ReportTable):
        counter.n_tables += 1
        return _table(block, counter.n_tables)
    counter.n_figures += 1
    return _figure(block, counter.n_figures)


def _bullets(block: Bullets) -> str:
    items = "\n".join(
        f"<li>{f'<strong>{escape(topic)}</strong> ' if topic else ''}{escape(words)}</li>"
        for topic, words in block.items
    )
    return f"<ul>\n{items}\n</ul>"


def _table(table: ReportTable, number: int) -> str:
    heads = "".join(
        f'<th scope="col"{_right(column.is_number)}>{escape(column.title)}</th>'
        for column in table.shown
    )
    rows = "\n".join(_rows(table))
    n = len(table.frame)
    file = f"{TABLES}/{table.name}.csv"
    kept = f" The first {table.limit} of {labels.count(n)} rows." if n > table.limit else ""
    return (
        f'<figure class="table"><figcaption><strong>Table {number}.</strong> '
        f"{escape(table.caption)}{kept} <code>{escape(file)}</code></figcaption>\n"
        f'<div class="wide"><table>\n<thead><tr>{heads}</tr></thead>\n'
        f"<tbody>\n{rows}\n</tbody>\n</table></div></figure>"
    )


def _rows(table: ReportTable) -> Iterator[str]:
    shown = table.frame.head(table.limit)
    columns = {name: shown[name].tolist() for column in table.shown for name in column.fields}
    for i in range(len(shown)):
        cells = []
        for place, column in enumerate(table.shown):
            words = escape(column.words(*(_cell(columns[name][i]) for name in column.fields)))
            if place == 0:
                cells.append(f'<th scope="row">{words}</th>')
            else:
                cells.append(f"<td{_right(column.is_number)}>{words}</td>")
        yield f"<tr>{''.join(cells)}</tr>"


def _cell(value: object) -> Cell:
    if isinstance(value, np.generic):
        value = value.item()
    return value if isinstance(value, (str, int, float)) else None


def _right(is_number: bool) -> str:
    return ' class="n"' if is_number else ""


def _figure(figure: ReportFigure, number: int) -> str:
    drawing = inline_svg(figure.svg, prefix=f"f{number}-", alternative=figure.alternative)
    files_of = f"{FIGURES}/{figure.name}.svg, {TABLES}/{figure.name}.csv"
    return (
        f'<figure class="drawing" id="{escape(figure.name)}">\n{drawing}\n'
        f"<figcaption><strong>Figure {number}.</strong> {escape(figure.caption)} "
        f"<code>{escape(files_of)}</code></figcaption></figure>"
    )


def _colours() -> str:
    """The colours of both schemes as CSS variables; on paper those of the light one."""
    dark = f"@media screen and (prefers-color-scheme: dark) {{ :root {{ {_variables(DARK)} }} }}"
    return f":root {{ {_variables(LIGHT)} }}\n{dark}"


def _variables(look: Look) -> str:
    named = {
        "ink": look.ink,
        "faint-ink": look.faint_ink,
        "grid": look.grid,
        "paper": look.paper,
        "accent": look.accent,
        "muted": look.muted,
        **{f"c{i}": colour for i, colour in enumerate(look.categories)},
    }
    return " ".join(f"--{name}: {colour};" for name, colour in named.items())
