"""Mixed models against lme4: the same numbers, and how much sooner.

    python -m benchmarks.mixed_speed [--full] [--df] [--out FILE]

Fits every committed data set and shows the largest difference from lme4 and lmerTest
(tests/reference/lme4.json). Then one large crossed study is fitted here and, where R with lmerTest
is installed, by lmer in the same run: with --full 200,000 rows of 19 children, 1,500 recordings
and 3,000 lemmas, for which lmer needs several minutes. --df adds lmerTest's degrees of freedom,
which take it as long again. Without R the full size is compared with the committed numbers.

Limits: fixed effects 1e-3 relative or 1e-4 absolute, standard errors and SDs 1 %, log-likelihood
.1, degrees of freedom 5 %; at full size at least 10 times as fast. Processor seconds are compared,
since they do not depend on what else the machine does.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from benchmarks.mixed_data import FORMULA, large_study
from pipeline.stats.mixed.fit import fit_mixed
from pipeline.stats.mixed.result import MixedFit

_REFERENCE = Path(__file__).parents[1] / "tests" / "reference"
_TARGET = 10.0


@dataclass(frozen=True, slots=True)
class Known:
    """What lme4 found: random SDs sorted, the residual among them; `df` empty where not asked."""

    estimate: list[float]
    se: list[float]
    df: list[float]
    sds: list[float]
    loglik: float


@dataclass(frozen=True, slots=True)
class Difference:
    """Largest differences, relative but for `loglik`. `is_estimate_near`: each estimate is within
    1e-3 of lme4's, or within 1e-4 in its own units."""

    estimate: float
    se: float
    sd: float
    df: float
    loglik: float
    is_estimate_near: bool

    @property
    def is_within(self) -> bool:
        return (
            self.is_estimate_near
            and self.se <= 0.01
            and self.sd <= 0.01
            and self.df <= 0.05
            and self.loglik <= 0.1
        )


def main() -> int:
    """Print both tables; the exit code is 1 when a limit was missed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--full", action="store_true", help="200,000 rows (minutes in lmer)")
    parser.add_argument("--df", action="store_true", help="lmerTest's degrees of freedom too")
    parser.add_argument("--out", type=Path, help="write what lme4 found to this JSON file")
    asked = parser.parse_args()
    is_good = _parity()
    return int(not (_large(asked.full, asked.df, asked.out) and is_good))


def _parity() -> bool:
    fits = json.loads((_REFERENCE / "lme4.json").read_text(encoding="utf-8"))
    print(f"Against {fits['version']}: largest differences")
    print(f"{'data and formula':76} {'estimate':>9} {'SE':>9} {'SD':>9} {'df':>9} {'logLik':>9}")
    is_good = True
    for known in fits["fits"]:
        rows = pd.read_csv(_REFERENCE / "data" / f"{known['data']}.csv")
        fit = fit_mixed(rows, known["formula"], family=known["family"], is_reml=known["reml"])
        how = "REML" if known["reml"] else "ML" if known["family"] == "gaussian" else "binomial"
        name = f"{known['data']}: {known['formula']}"
        is_good &= _show(f"{name[:66]} {how}", _difference(fit, _known(json.dumps(known))))
    return is_good


def _large(is_full: bool, is_df_asked: bool, out: Path | None) -> bool:
    rows = large_study() if is_full else large_study(20_000, n_recordings=300, n_lemmas=600)
    print(f"\n{len(rows):,} rows: {FORMULA}")
    # The first fit loads libraries.
    fit_mixed(rows.head(2_000), FORMULA)
    started, cpu = time.perf_counter(), time.process_time()
    fit = fit_mixed(rows, FORMULA)
    wall_s, cpu_s = time.perf_counter() - started, time.process_time() - cpu
    print(f"Coview: {cpu_s:.2f} s of processor time, {wall_s:.2f} s in all")
    text = _by_lmer(rows, is_df_asked)
    if not text and is_full:
        path = _REFERENCE / "lme4_large.json"
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        print("R with lmerTest is not installed: compared with the committed numbers.")
    if not text:
        print("R with lmerTest is not installed: nothing to compare with.")
        return True
    known = json.loads(text)
    ratio = float(known["cpu"]) / cpu_s
    print(
        f"lmer:   {known['cpu']:.2f} s of processor time, {known['seconds']:.2f} s in all: "
        f"{ratio:.1f} times as long"
    )
    if out is not None:
        known["coview"] = {"seconds": round(wall_s, 2), "cpu": round(cpu_s, 2)}
        out.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
    is_good = _show("difference", _difference(fit, _known(json.dumps(known))))
    return is_good and (not is_full or ratio >= _TARGET)


def _by_lmer(rows: pd.DataFrame, is_df_asked: bool) -> str:
    """lme4's fit as JSON; empty without R."""
    if shutil.which("Rscript") is None:
        return ""
    is_there = ["Rscript", "-e", 'for (p in c("lmerTest", "jsonlite")) loadNamespace(p)']
    if subprocess.run(is_there, capture_output=True, check=False).returncode:
        return ""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.csv"
        rows.to_csv(path, index=False)
        script = str(_REFERENCE / "fit_large.R")
        options = ["df"] if is_df_asked else []
        command = ["Rscript", script, str(path), FORMULA, *options]
        return subprocess.run(command, capture_output=True, check=True, text=True).stdout


def _known(text: str) -> Known:
    """Of one fit as JSON."""
    values = json.loads(text)
    return Known(
        values["estimate"],
        values["se"],
        # A binomial fit has none: R writes an empty object.
        values.get("df") or [],
        sorted(row["sdcor"] for row in values["random"]),
        values["loglik"],
    )


def _difference(fit: MixedFit, known: Known) -> Difference:
    sds = [effect.sd for effect in fit.random]
    if fit.family == "gaussian":
        sds.append(fit.residual_sd)
    estimates = [effect.estimate for effect in fit.fixed]
    off = _relative(estimates, known.estimate)
    return Difference(
        max(off),
        max(_relative([effect.se for effect in fit.fixed], known.se)),
        # An SD of (nearly) zero is compared with the largest.
        max(_relative(sorted(sds), known.sds, floor=1e-3 * max(known.sds))),
        max(_relative([effect.df for effect in fit.fixed], known.df)) if known.df else 0.0,
        abs(fit.loglik - known.loglik),
        all(
            relative <= 1e-3 or abs(a - b) <= 1e-4
            for relative, a, b in zip(off, estimates, known.estimate, strict=True)
        ),
    )


def _relative(found: list[float], known: list[float], floor: float = 0.0) -> list[float]:
    return [abs(a - b) / max(abs(b), floor, 1e-12) for a, b in zip(found, known, strict=True)]


def _show(name: str, found: Difference) -> bool:
    numbers = (found.estimate, found.se, found.sd, found.df, found.loglik)
    mark = "" if found.is_within else "  MISSED"
    print(f"{name:76} " + " ".join(f"{number:9.1e}" for number in numbers) + mark, flush=True)
    return found.is_within


if __name__ == "__main__":
    sys.exit(main())
