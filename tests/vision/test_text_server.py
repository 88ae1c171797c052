"""The text encoder answers from a process of its own and leaves when it is not needed."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.config import ModelSettings
from pipeline.errors import ModelError
from pipeline.records import ModelRef
from pipeline.vision.open_clip_model import OpenClipModel
from pipeline.vision.text_client import TextEncoder
from pipeline.vision.text_server import MAX_TEXTS, answer, serve

SETTINGS = '[model]\nname = "demo-clip"\nweights = ""\n'


@pytest.fixture(scope="module")
def model() -> OpenClipModel:
    return OpenClipModel(ModelSettings(name="demo-clip", weights=""), Path.cwd(), "cpu")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("study")
    (root / "study.toml").write_text(SETTINGS)
    return root


def test_a_sentence_gets_the_vector_that_the_pipeline_would_give_it(root: Path, model):
    encoder = TextEncoder(root)
    try:
        found = encoder.embed("a red ball", model.ref)
        again = encoder.embed("a red ball", model.ref)
    finally:
        encoder.close()
    np.testing.assert_allclose(found, model.embed_texts(["a red ball"])[0], atol=1e-5)
    assert found == again
    assert not encoder.is_running


def test_a_long_list_is_asked_for_in_parts_and_comes_back_in_order(root: Path, model):
    texts = [f"ball number {i}" for i in range(MAX_TEXTS + 40)]
    encoder = TextEncoder(root)
    try:
        found = encoder.embed_texts(texts, model.ref)
    finally:
        encoder.close()
    assert found.shape == (len(texts), model.ref.dim)
    np.testing.assert_allclose(found, model.embed_texts(texts), atol=1e-5)


def test_another_model_than_that_of_the_store_is_refused(root: Path, model):
    encoder = TextEncoder(root)
    try:
        with pytest.raises(ModelError, match="other weights of it"):
            encoder.embed("ball", replace(model.ref, revision="other"))
        with pytest.raises(ModelError, match=r"embedded by ViT-B-32; study.toml now names demo"):
            encoder.embed("ball", replace(model.ref, scorer="ViT-B-32"))
    finally:
        encoder.close()


def test_a_model_that_is_not_there_is_said_with_the_fix(tmp_path: Path):
    (tmp_path / "study.toml").write_text('[model]\nname = "./nowhere"\nweights = ""\n')
    ref = ModelRef("x", "x", "x", "x", 4, 224, "", "fp32")
    with pytest.raises(ModelError, match="no model folder") as problem:
        TextEncoder(tmp_path).embed("ball", ref)
    assert problem.value.hint


def test_the_process_ends_when_its_input_ends(root: Path):
    command = [sys.executable, "-m", "pipeline.vision.text_server", str(root)]
    done = subprocess.run(
        command,
        input=json.dumps({"texts": ["ball"]}) + "\n",
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    first, second = done.stdout.splitlines()
    assert json.loads(first)["scorer"] == "demo-clip"
    assert len(json.loads(second)["vectors"][0]) == 128
    assert done.returncode == 0


def test_the_server_leaves_when_nothing_is_asked(model):
    class Silent(io.StringIO):
        def __iter__(self):
            import time

            time.sleep(30)
            return iter(())

    answers = io.StringIO()
    serve(model, Silent(), answers, idle_s=0.05)
    assert answers.getvalue() == ""


@pytest.mark.parametrize(
    "line", ["", "x", "[]", "{}", '{"texts": []}', '{"texts": [" "]}', '{"texts": [1]}']
)
def test_a_senseless_question_gets_an_error(model, line: str):
    assert "error" in answer(model, line)


def test_too_many_texts_get_an_error(model):
    assert "error" in answer(model, json.dumps({"texts": ["a"] * (MAX_TEXTS + 1)}))


def test_asking_does_not_load_torch_here(root: Path):
    code = (
        "import sys, pathlib, pipeline.vision.text_client as c; "
        f"c.TextEncoder(pathlib.Path({str(root)!r})); print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
