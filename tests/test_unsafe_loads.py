"""No file from elsewhere can make Coview run what is in it: the code is searched for the ways."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted(path for part in ("pipeline", "dashboard") for path in (ROOT / part).rglob("*.py"))

_MODULES = (
    *("pickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "yaml", "tarfile"),
    *("xml.sax", "xml.dom", "xml.etree", "lxml"),
)
_CALLS = (
    *("eval", "exec", "compile", "__import__", "os.system", "os.popen", "subprocess.getoutput"),
    *("shutil.unpack_archive", "pd.read_pickle", "pandas.read_pickle"),
    *("ElementTree.parse", "ElementTree.fromstring"),
)
ALLOWED = {
    # Named in an `except`; nothing is unpickled by us. torch.load itself unpickles weights only.
    ("pipeline/vision/loading.py", "import pickle"),
    # Two files that are shipped with Coview.
    ("pipeline/faces/cascade.py", "import xml.etree.ElementTree"),
    ("pipeline/faces/cascade.py", "ElementTree.fromstring()"),
    # Escaping and unescaping of text, not a parser.
    ("pipeline/exchange/eaf.py", "import xml.sax.saxutils"),
    ("pipeline/speech/readers/eaf_document.py", "import xml.sax.saxutils"),
}


def unsafe_uses(source: str) -> Iterator[str]:
    """What a module does that may run what a file holds."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (f"import {one.name}" for one in node.names if _is_listed(one.name))
        elif isinstance(node, ast.ImportFrom) and node.module and _is_listed(node.module):
            yield f"import {node.module}"
        elif isinstance(node, ast.Call):
            yield from _unsafe_call(node)


def _unsafe_call(node: ast.Call) -> Iterator[str]:
    name = ast.unparse(node.func)
    options = {one.arg: one.value for one in node.keywords}
    if name in _CALLS:
        yield f"{name}()"
    if name in ("np.load", "numpy.load") and not _is(options.get("allow_pickle"), False):
        yield f"{name}() without allow_pickle=False"
    if name in ("torch.load", "torch.jit.load") and not _is(options.get("weights_only"), True):
        yield f"{name}() without weights_only=True"
    if _is(options.get("shell"), True):
        yield f"{name}(shell=True)"
    if _is(options.get("unsafe_allow_html"), True):
        yield f"{name}(unsafe_allow_html=True)"


def _is(node: ast.expr | None, value: bool) -> bool:
    return isinstance(node, ast.Constant) and node.value is value


def _is_listed(module: str) -> bool:
    return any(module == one or module.startswith(f"{one}.") for one in _MODULES)


def test_nothing_unpickles_evaluates_or_calls_a_shell() -> None:
    found = {
        (path.relative_to(ROOT).as_posix(), use)
        for path in FILES
        for use in unsafe_uses(path.read_text(encoding="utf-8"))
    }
    assert found == ALLOWED


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from yaml import load",
        "eval(text)",
        "np.load(path)",
        "numpy.load(path, allow_pickle=True)",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "subprocess.run(command, shell=True)",
        "os.system(command)",
        "import tarfile",
        "st.markdown(text, unsafe_allow_html=True)",
    ],
)
def test_each_way_is_found(source: str) -> None:
    assert list(unsafe_uses(source))


@pytest.mark.parametrize(
    "source",
    [
        "np.load(path, mmap_mode='r', allow_pickle=False)",
        "model.eval()",
        "torch.load(path, weights_only=True)",
        "subprocess.run([program, text])",
        "re.compile(text)",
        "safetensors.numpy.load_file(path)",
    ],
)
def test_safe_ways_are_left_alone(source: str) -> None:
    assert not list(unsafe_uses(source))
