"""Commands say what happened, on the right stream, with the right exit code."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.errors import ExitCode

runner = CliRunner()
README = Path(__file__).parents[1] / "README.md"


def test_where_prints_the_path_and_nothing_else(tiny_demo_study: Path) -> None:
    result = runner.invoke(app, ["where", str(tiny_demo_study)])
    assert result.exit_code == 0
    assert Path(result.stdout.strip()).is_file()
    assert result.stdout.count("\n") == 1


def test_where_without_a_store_says_what_to_do(tmp_path: Path) -> None:
    result = runner.invoke(app, ["where", str(tmp_path)])
    assert result.exit_code == ExitCode.WRONG_USE
    assert result.stdout == ""
    assert "pipeline run" in result.stderr


def test_status_counts_every_stage(tiny_demo_study: Path) -> None:
    result = runner.invoke(app, ["status", str(tiny_demo_study), "--json"])
    assert result.exit_code == 0
    status = json.loads(result.stdout)
    assert [stage["stage"] for stage in status["stages"]] == ["speech", "vision", "text", "align"]
    assert all(stage["n_done"] == status["n_recordings"] for stage in status["stages"])
    assert status["failures"] == []
    assert "Store:" in runner.invoke(app, ["status", str(tiny_demo_study)]).stdout


def test_a_run_with_failures_lists_them_and_ends_with_1(tiny_demo_copy: Path) -> None:
    video = sorted((tiny_demo_copy / "recordings" / "raw").glob("*.mp4"))[0]
    video.write_bytes(b"")
    result = runner.invoke(app, ["run", str(tiny_demo_copy), "--quiet"])
    assert result.exit_code == ExitCode.SOME_FAILED
    assert video.stem in result.stderr
    assert "1 recording(s) failed" in result.stderr


def test_json_logs_are_one_object_per_line(tiny_demo_copy: Path) -> None:
    result = runner.invoke(app, ["run", str(tiny_demo_copy), "--json-logs"])
    assert result.exit_code == 0
    events = [json.loads(line) for line in result.stderr.splitlines()]
    assert {"time", "event"} <= set(events[0])
    assert {e["stage"] for e in events if e["event"] == "StageStarted"} == {
        "speech",
        "vision",
        "text",
        "align",
    }
    assert list((tiny_demo_copy / "derived" / "logs").glob("run-*.jsonl"))


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["run", "nowhere"], "There is no folder nowhere"),
        (["run", ".", "--stage", "dream"], "There is no stage 'dream'"),
        (["run", ".", "--device", "tpu"], "There is no device 'tpu'"),
        (["frames", "nothing.mp4"], "There is no file nothing.mp4"),
        (["serve", "nowhere"], "There is no folder nowhere"),
        (["init", "x", "--videos", "nowhere"], "There is no folder nowhere"),
    ],
)
def test_wrong_use_is_one_message_and_exit_code_2(arguments: list[str], named: str) -> None:
    result = runner.invoke(app, arguments)
    assert result.exit_code == ExitCode.WRONG_USE
    assert named in result.stderr
    assert "Traceback" not in result.stderr


def test_frames_lists_and_writes_the_sampled_frames(tiny_demo_study: Path, tmp_path: Path) -> None:
    video = sorted((tiny_demo_study / "recordings" / "raw").glob("*.mp4"))[0]
    out = tmp_path / "frames"
    result = runner.invoke(app, ["frames", str(video), "--out", str(out), "--json"])
    assert result.exit_code == 0
    listed = json.loads(result.stdout)["frames"]
    assert len(listed) > 10
    assert [frame["index"] for frame in listed] == list(range(len(listed)))
    assert all(abs(frame["time_ms"] - 1000 * frame["index"]) <= 50 for frame in listed)
    assert sorted(p.name for p in out.iterdir())[0] == "00000.jpg"
    assert len(list(out.iterdir())) == len(listed)
    twice = runner.invoke(app, ["frames", str(video), "--fps", "2", "--json"])
    assert len(json.loads(twice.stdout)["frames"]) >= 2 * len(listed) - 1


def test_doctor_looks_at_machine_and_study(tiny_demo_study: Path) -> None:
    result = runner.invoke(app, ["doctor", str(tiny_demo_study), "--json"])
    findings = {finding["subject"]: finding for finding in json.loads(result.stdout)}
    assert findings["PyAV"]["verdict"] == "good"
    assert findings["model"]["verdict"] == "good"
    assert findings["transcripts"]["verdict"] == "good"


def test_models_check_passes_on_the_demo_model() -> None:
    result = runner.invoke(app, ["models", "check", "demo-clip", "--json"])
    assert result.exit_code == 0, result.output
    lines = json.loads(result.stdout)["lines"]
    assert len(lines) >= 3
    assert all(line["is_ok"] for line in lines)


def test_models_list_shows_what_is_here() -> None:
    result = runner.invoke(app, ["models", "list", "--json"])
    assert result.exit_code == 0
    known = {(model["name"], model["weights"]): model for model in json.loads(result.stdout)}
    assert known[("demo-clip", "")]["is_here"]
    assert ("ViT-B-32-quickgelu", "openai") in known


def test_every_command_of_the_readme_exists() -> None:
    """Commands the README names are commands; their options are options."""
    text = README.read_text(encoding="utf-8")
    lines = re.findall(r"^[\w./]*python3? -m pipeline (.+)$", text, flags=re.MULTILINE)
    lines += re.findall(r"`python -m pipeline (?!COMMAND)([^`]+)`", text)
    assert len(lines) >= 6
    for line in lines:
        words = line.split()
        command = words[:2] if words[0] == "models" else words[:1]
        result = runner.invoke(app, [*command, "--help"], env={"COLUMNS": "200"})
        assert result.exit_code == 0, line
        for option in (word for word in words if word.startswith("--")):
            assert option in result.stdout, line


def test_looking_at_a_store_loads_no_model_library(tiny_demo_study: Path) -> None:
    script = (
        "import sys\nfrom typer.testing import CliRunner\nfrom pipeline.cli import app\n"
        f"for command in ('where', 'status'):\n"
        f"    assert CliRunner().invoke(app, [command, {str(tiny_demo_study)!r}]).exit_code == 0\n"
        "heavy = {'torch', 'av', 'cv2', 'open_clip', 'faster_whisper', 'numba'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
