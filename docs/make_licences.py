"""The licences of every package that Coview installs, as docs/licences.md.

    python -m docs.make_licences [--check]

Names come from requirements.txt, licences from what each installed package says of itself. The
command fails when a licence is unknown or asks for more than naming the authors, unless it stands
in ACCEPTED with the reason.
"""

from __future__ import annotations

import argparse
import re
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

_ROOT = Path(__file__).parents[1]
REQUIREMENTS = _ROOT / "requirements.txt"
PAGE = _ROOT / "docs" / "licences.md"

PERMISSIVE = re.compile(
    r"\b(MIT|BSD|Apache|ISC|PSF|Python Software Foundation|0BSD|Zlib|CC0|BSL-1\.0|HPND|Unlicense)",
    re.IGNORECASE,
)
ACCEPTED = {
    "certifi": "MPL 2.0: a list of certificates, used unchanged",
    "tqdm": "MPL 2.0 and MIT: used unchanged",
    "cuda-toolkit": "NVIDIA's licence: comes with torch for NVIDIA's graphics cards on Linux",
}
"""Packages whose licence is not permissive, or not told, and why they may be used."""
_NVIDIA = "NVIDIA's licence: comes with torch for NVIDIA's graphics cards on Linux"


@dataclass(frozen=True, slots=True)
class Package:
    """One package: the pinned version and what it says of its licence ("" when nothing)."""

    name: str
    version: str
    licence: str
    is_installed: bool

    @property
    def remark(self) -> str:
        """Why a licence that is not permissive is accepted; "" when there is no reason known."""
        if self.name in ACCEPTED:
            return ACCEPTED[self.name]
        return _NVIDIA if self.name.startswith("nvidia-") else ""

    @property
    def is_in_order(self) -> bool:
        """Whether nobody needs to look at it."""
        if not self.is_installed or self.remark:
            return True
        is_copyleft = re.search(r"\b[AL]?GPL", self.licence) is not None
        return bool(PERMISSIVE.search(self.licence)) and not is_copyleft


def read_packages(requirements: Path) -> list[Package]:
    """The packages pinned in a requirements file; one with several pins is listed once."""
    pins: dict[str, str] = {}
    for line in requirements.read_text(encoding="utf-8").splitlines():
        if match := re.match(r"([A-Za-z0-9._-]+)==([^ ;\\]+)", line):
            pins[match[1]] = match[2]
    return [_package(name, version) for name, version in sorted(pins.items())]


def _package(name: str, version: str) -> Package:
    try:
        told = metadata(name)
    except PackageNotFoundError:
        return Package(name, version, "", is_installed=False)
    classifiers = [
        text.rsplit("::", 1)[-1].strip()
        for text in told.get_all("Classifier") or []
        if text.startswith("License")
    ]
    expression = "; ".join(told.get_all("License-Expression") or [])
    first_line = "".join(told.get_all("License") or []).strip().splitlines()[:1]
    licence = expression or "; ".join(classifiers) or "".join(first_line)
    return Package(name, told["Version"], licence, is_installed=True)


def page(packages: list[Package]) -> str:
    """docs/licences.md: a table of the installed packages, then the names of the others."""
    others = [package.name for package in packages if not package.is_installed]
    lines = [
        "# Licences of what Coview installs",
        "",
        "`make audit` makes this list from what each package says of itself, and fails when one is "
        "unknown or is not permissive without a reason given here.",
        "",
        "Two binary packages carry more than their own code: `av` (BSD) brings FFmpeg with x264 "
        "and x265, which are under the GPL, and `opencv-python-headless` (Apache 2.0) brings "
        "FFmpeg under the LGPL. Coview uses them unchanged and does not hand them on: each lab "
        "installs them from the Python package index.",
        "",
        "| package | version | licence | |",
        "|---|---|---|---|",
    ]
    for package in packages:
        if package.is_installed:
            licence = package.licence or "not told"
            lines.append(f"| {package.name} | {package.version} | {licence} | {package.remark} |")
    if others:
        lines += ["", "Only on other systems or versions of Python, not read: " + ", ".join(others)]
        lines[-1] += "."
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write the page (or, with --check, only look); 1 when a licence needs a person."""
    parser = argparse.ArgumentParser(prog="python -m docs.make_licences", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    options = parser.parse_args()
    packages = read_packages(REQUIREMENTS)
    if not options.check:
        PAGE.write_text(page(packages), encoding="utf-8")
    doubtful = [package for package in packages if not package.is_in_order]
    for package in doubtful:
        print(f"Look at {package.name}: its licence is {package.licence or 'not told'!r}.")
    print(f"Licences: {len(packages)} packages, {len(doubtful)} to be looked at.")
    return int(bool(doubtful))


if __name__ == "__main__":
    sys.exit(main())
