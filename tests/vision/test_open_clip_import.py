"""open_clip starts without transformers, and gets it for the models that need it."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import pytest

_CODE = """
import sys
from pathlib import Path
from pipeline.config import ModelSettings
from pipeline.vision.open_clip_import import give_transformers
from pipeline.vision.open_clip_model import OpenClipModel
model = OpenClipModel(ModelSettings(name="demo-clip"), Path("."), "cpu")
assert "transformers" not in sys.modules, "transformers was imported"
import open_clip.hf_model as adapter
import open_clip.model
assert adapter.transformers is None
give_transformers()
import transformers
assert adapter.transformers is transformers
# The class that open_clip.model took before finds it too.
tower = open_clip.model.HFTextEncoder
assert tower.__init__.__globals__["AutoModel"] is transformers.AutoModel
"""


@pytest.mark.skipif(
    importlib.util.find_spec("transformers") is None, reason="transformers is not installed"
)
def test_the_demo_model_loads_without_transformers_and_others_get_it() -> None:
    subprocess.run([sys.executable, "-c", _CODE], check=True)
