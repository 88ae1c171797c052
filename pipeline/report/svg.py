"""Drawings: made by matplotlib in the colours of the light page, the same bytes every time.

Text stays text, so that it can be read aloud, searched and set in the page's own letters. Inside
the report the colours become CSS variables, which follow the reader's light or dark page.
"""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING

from pipeline.look import LIGHT

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.typing import RcKeyType

WIDTH_IN = 7.2
"""Two columns of a journal (183 mm)."""
_POINTS = 72
_ONE_AT_A_TIME = threading.Lock()
"""matplotlib keeps its settings for the whole process."""
_STYLE: dict[RcKeyType, object] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "coview",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9.0,
    "text.color": LIGHT.ink,
    "axes.edgecolor": LIGHT.grid,
    "axes.labelcolor": LIGHT.faint_ink,
    "axes.labelsize": 9.0,
    "axes.titlesize": 9.0,
    "axes.titlelocation": "left",
    "axes.titlecolor": LIGHT.ink,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "savefig.facecolor": "none",
    "grid.color": LIGHT.grid,
    "grid.linewidth": 0.7,
    "xtick.color": LIGHT.grid,
    "ytick.color": LIGHT.grid,
    "xtick.labelcolor": LIGHT.faint_ink,
    "ytick.labelcolor": LIGHT.faint_ink,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "legend.handlelength": 1.4,
    "path.simplify": False,
    "text.parse_math": False,
}
_VARIABLES = {
    LIGHT.ink: "ink",
    LIGHT.faint_ink: "faint-ink",
    LIGHT.grid: "grid",
    LIGHT.paper: "paper",
    LIGHT.accent: "accent",
    LIGHT.muted: "muted",
    **{colour: f"c{i}" for i, colour in enumerate(LIGHT.categories)},
}
_COLOUR = re.compile("|".join(map(re.escape, _VARIABLES)))
_HEAD = re.compile(r"\A.*?(?=<svg)", re.DOTALL)
_METADATA = re.compile(r"<metadata>.*?</metadata>", re.DOTALL)
_STYLE_PART = re.compile(r"<defs>\s*<style.*?</style>\s*</defs>", re.DOTALL)
_SIZE = re.compile(r' (?:width|height)="[\d.]+pt"')
_FONT = " font-family: 'DejaVu Sans', sans-serif;"
_FONT_OF_FILES = " font-family: Arial, Helvetica, 'DejaVu Sans', sans-serif;"
_TAG = re.compile(r"<[^>]+>")
_LONG_NUMBER = re.compile(r"-?\d+\.\d{3,}")
_SPACES = re.compile(r"\s+")
_ID = re.compile(r' id="([^"]+)"')
_USE = re.compile(r'(?:href="#|url\(#)([^")]+)')
_NAMESPACE = re.compile(r' xmlns(?::xlink)?="[^"]*"')
_USED = re.compile(r'(href="#|url\(#)')


def drawn(draw: Callable[[Figure], None], *, height_in: float, width_in: float = WIDTH_IN) -> str:
    """The SVG of what `draw` puts on an empty figure of this size; no date, no random ids."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with _ONE_AT_A_TIME, matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(width_in, height_in), layout="constrained")
        FigureCanvasSVG(figure)
        draw(figure)
        written = io.StringIO()
        nothing = {"Date": None, "Creator": None, "Format": None, "Type": None}
        figure.savefig(written, format="svg", metadata=nothing)
    return _plain(written.getvalue())


def _plain(svg: str) -> str:
    """Without what no reader needs: ids nobody refers to, a millionth of a point, line breaks."""
    svg = _METADATA.sub("", _HEAD.sub("", svg))
    used = set(_USE.findall(svg))
    svg = _ID.sub(lambda match: match[0] if match[1] in used else "", svg)

    def short(tag: re.Match[str]) -> str:
        rounded = _LONG_NUMBER.sub(lambda match: f"{float(match[0]):.2f}", tag[0])
        return _SPACES.sub(" ", rounded)

    svg = _TAG.sub(short, svg)
    return re.sub(r">\s+<", ">\n<", svg).strip()


def standalone_svg(svg: str) -> str:
    """The drawing as a file of its own, on white."""
    svg = svg.replace(_FONT, _FONT_OF_FILES)
    start = svg.index(">") + 1
    white = f'<rect width="100%" height="100%" fill="{LIGHT.paper}"/>'
    return f'<?xml version="1.0" encoding="utf-8"?>\n{svg[:start]}\n{white}{svg[start:]}\n'


def inline_svg(svg: str, *, prefix: str, alternative: str) -> str:
    """The drawing inside a page: colours and letters of the page, ids of its own, said in words."""
    found = _STYLE_PART.sub("", svg).replace(_FONT, "")

    def themed(tag: re.Match[str]) -> str:
        words = _COLOUR.sub(lambda match: f"var(--{_VARIABLES[match[0]]})", tag[0])
        words = _ID.sub(lambda match: f' id="{prefix}{match[1]}"', words)
        return _USED.sub(lambda match: f"{match[1]}{prefix}", words)

    # Only within tags: a child's id may look like anything.
    found = _NAMESPACE.sub("", _TAG.sub(themed, found)).replace("xlink:href", "href")
    end = found.index(">")
    label = f' role="img" aria-label="{escape(alternative, quote=True)}"'
    return f"{_SIZE.sub('', found[:end])}{label}{found[end:]}"
