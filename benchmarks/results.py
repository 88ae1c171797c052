"""What the benchmarks found at full size, in one table and one picture.

    python -m benchmarks.results

Benchmarks add their lines to results.csv when they are told to `--write`; this command makes
RESULTS.md and results.svg of it. Ratios were taken within one run on one machine, which is the
only comparison that holds between machines.
"""

from __future__ import annotations

import csv
import math
import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime, timezone
from itertools import groupby
from pathlib import Path

_FOLDER = Path(__file__).parent
LINES = _FOLDER / "results.csv"
PAGE = _FOLDER / "RESULTS.md"
PICTURE = _FOLDER / "results.svg"


@dataclass(frozen=True, slots=True)
class Result:
    """One measured figure and what was wanted of it.

    `limit` is NaN where nothing was wanted; `more_is_better` says on which side of it to be.
    `against` names what a ratio compares with, and `size` what it was measured on.
    """

    area: str
    measure: str
    value: float
    unit: str
    limit: float
    more_is_better: bool
    against: str
    size: str
    command: str
    machine: str = ""
    day: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """What a newer measurement replaces."""
        return self.area, self.measure

    @property
    def headroom(self) -> float:
        """How many times better than wanted; below 1 the limit is missed, NaN without one."""
        if math.isnan(self.limit) or not self.value or not self.limit:
            return math.nan
        return self.value / self.limit if self.more_is_better else self.limit / self.value


def record(results: Iterable[Result], path: Path = LINES) -> None:
    """Write results into the file; a line of the same area and measure is replaced."""
    day = datetime.now(timezone.utc).date().isoformat()
    kept = {result.key: result for result in read_results(path)}
    for result in results:
        kept[result.key] = replace(result, machine=result.machine or _machine(), day=day)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Result)], lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(kept[key]) for key in sorted(kept))


def read_results(path: Path = LINES) -> list[Result]:
    """The results of the file, in its order; none when there is no file."""
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return [_result(row) for row in csv.DictReader(file)]


def _result(row: dict[str, str]) -> Result:
    return Result(
        row["area"],
        row["measure"],
        float(row["value"]),
        row["unit"],
        float(row["limit"]),
        row["more_is_better"] == "True",
        row["against"],
        row["size"],
        row["command"],
        row["machine"],
        row["day"],
    )


def _machine() -> str:
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    return f"{os.cpu_count()} cores, {memory_gb:.0f} GB, {platform.machine()}, {platform.system()}"


def page(results: Sequence[Result]) -> str:
    """RESULTS.md: a table for each area, what was missed in bold."""
    missed = [result for result in results if result.headroom < 1]
    wanted = [result for result in results if not math.isnan(result.headroom)]
    lines = [
        "# What was measured",
        "",
        "`python -m benchmarks.results` makes this page of results.csv, to which benchmarks add "
        "their lines with `--write`. Ratios compare within one run; times differ between machines.",
        "",
        f"{len(wanted) - len(missed)} of {len(wanted)} limits are met; those missed stand in bold.",
        "",
        f"![How far each figure is from its limit]({PICTURE.name})",
    ]
    for area, group in groupby(results, key=lambda result: result.area):
        lines += [
            "",
            f"## {area}",
            "",
            "| measure | found | wanted | on | |",
            "|---|---|---|---|---|",
        ]
        lines += [_row(result) for result in group]
    machines = sorted({f"{result.machine} ({result.day})" for result in results})
    lines += ["", "Machines: " + "; ".join(machines) + "."]
    return "\n".join(lines) + "\n"


def _row(result: Result) -> str:
    found = f"{_number(result.value)} {result.unit}".strip()
    if result.headroom < 1:
        found = f"**{found}**"
    wanted = ""
    if not math.isnan(result.limit):
        wanted = f"{'≥' if result.more_is_better else '≤'} {_number(result.limit)} {result.unit}"
    against = f"{result.measure}, against {result.against}" if result.against else result.measure
    return f"| {against} | {found} | {wanted.strip()} | {result.size} | `{result.command}` |"


def _number(value: float) -> str:
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def draw(results: Sequence[Result], path: Path = PICTURE) -> None:
    """A dot for every figure with a limit: how many times better than wanted, on a log scale."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot as plt

    shown = [result for result in results if not math.isnan(result.headroom)][::-1]
    plt.rcParams.update({"svg.hashsalt": "coview", "font.size": 9, "font.family": "sans-serif"})
    figure, axes = plt.subplots(figsize=(11, 0.26 * len(shown) + 1.2), layout="constrained")
    for row, result in enumerate(shown):
        is_met = result.headroom >= 1
        axes.plot(
            result.headroom,
            row,
            marker="o" if is_met else "X",
            markersize=6,
            color="#0b62a4" if is_met else "#b3401f",
        )
    axes.axvline(1, color="#14171b", linewidth=0.8)
    axes.set_yticks(range(len(shown)), [f"{result.area}: {result.measure}" for result in shown])
    axes.set_xscale("log")
    axes.set_xticks([1 / 64, 1 / 16, 1 / 4, 1, 4, 16], ["1/64", "1/16", "¼", "limit", "4×", "16×"])
    axes.minorticks_off()
    axes.set_xlabel("Times better than wanted; crosses are misses")
    axes.margins(y=0.01)
    axes.grid(axis="x", color="#e1e3e6", linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(axis="y", length=0)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def main() -> None:
    """Write the page and the picture."""
    results = read_results()
    PAGE.write_text(page(results), encoding="utf-8")
    draw(results)
    print(f"{len(results)} results written to {PAGE.name} and {PICTURE.name}")


if __name__ == "__main__":
    main()
