"""Several workers make what one process makes, whatever becomes of them: processes here, or Ray."""

import os
import shutil
import signal
import sys
from importlib.util import find_spec
from pathlib import Path

import duckdb
import pytest

from pipeline.engine.events import Event, RecordingFinished
from pipeline.engine.ray_cluster import Cluster, n_workers_for
from pipeline.engine.runner import Run, RunOptions
from pipeline.errors import EngineError, SettingsError
from pipeline.store.locate import current_store_path, stores_folder
from pipeline.store.publish import store_digests
from pipeline.study import open_study

STAGES = ("speech", "vision", "text", "align")


def copy_to_be_done(study: Path, root: Path) -> Path:
    """A copy without its shards; of the frames, which cost most, two recordings' are missing."""
    shutil.copytree(study, root)
    for stage in ("speech", "text", "align"):
        shutil.rmtree(root / "derived" / stage)
    for path in (root / "derived" / "vision").glob("*/*_01~*"):
        path.unlink()
    shutil.rmtree(stores_folder(root))
    return root


def digests(root: Path) -> dict[str, str]:
    path = current_store_path(root)
    assert path is not None
    return dict(store_digests(path))


def cosines(root: Path) -> list[tuple[object, ...]]:
    with duckdb.connect(str(current_store_path(root)), read_only=True) as con:
        return con.execute(
            "SELECT COLUMNS('.*cosine$|.*null_mean$|.*null_sd$') FROM scores_wide"
        ).fetchall()


def shards(root: Path) -> dict[str, bytes]:
    """Content of every shard by its path within the study."""
    return {
        str(path.relative_to(root)): path.read_bytes()
        for stage in STAGES
        for path in (root / "derived" / stage).rglob("*")
        if path.is_file()
    }


@pytest.fixture(scope="module")
def done_by_two(tiny_demo_study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny demo study after two worker processes did it again. Read only."""
    root = copy_to_be_done(tiny_demo_study, tmp_path_factory.mktemp("two") / "study")
    options = RunOptions(device="cpu", n_workers=2)
    assert Run(open_study(root), options, lambda event: None).execute().failures == ()
    return root


def test_two_workers_give_the_same_store_as_one(tiny_demo_study: Path, done_by_two: Path) -> None:
    """Texts and times are equal; cosines agree up to the rounding of other thread counts."""
    rounded = {"frame_embeddings", "utterance_embeddings", "lags", "scores_wide"}
    before, after = digests(tiny_demo_study), digests(done_by_two)
    assert {t: d for t, d in after.items() if t not in rounded} == {
        t: d for t, d in before.items() if t not in rounded
    }
    for row, other in zip(cosines(done_by_two), cosines(tiny_demo_study), strict=True):
        assert row == pytest.approx(other, abs=1e-4, nan_ok=True)


def ray_workers() -> list[int]:
    """Process ids of the Ray workers of this process, those at work first."""
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            title = (folder / "cmdline").read_bytes().decode(errors="replace")
            is_ours = f"{os.getpid()}" in ancestors(int(folder.name))
        except OSError:  # the process has ended meanwhile
            continue
        if title.startswith("ray::RayWorker") and is_ours:
            found.append((".perform" not in title, int(folder.name)))
    return [pid for _, pid in sorted(found)]


def ancestors(pid: int) -> list[str]:
    found = []
    while pid > 1:
        parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]
        found.append(parent)
        pid = int(parent)
    return found


@pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed: coview[ray]")
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks for workers in /proc")
def test_ray_loses_nothing_with_a_killed_worker_and_gives_the_same_bytes(
    tiny_demo_study: Path,
    done_by_two: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_USAGE_STATS_ENABLED"):
        monkeypatch.delenv(name, raising=False)  # a run sets them; put back after the test
    # Workers import the code under test, wherever pytest was started.
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    root = copy_to_be_done(tiny_demo_study, tmp_path / "study")
    killed: list[int] = []
    done: list[tuple[str, str]] = []

    def on_event(event: Event) -> None:
        if not isinstance(event, RecordingFinished):
            return
        done.append((event.stage, event.recording_id))
        if event.stage == "vision" and not killed:
            killed.append(ray_workers()[0])
            os.kill(killed[0], signal.SIGKILL)

    options = RunOptions(device="cpu", n_workers=2, engine="ray")
    summary = Run(open_study(root), options, on_event).execute()
    assert summary.failures == ()
    assert killed
    assert len(done) == len(set(done)) == 14  # 4 recordings, of which 2 have their frames
    assert shards(root) == shards(done_by_two)
    assert digests(root) == digests(done_by_two)
    assert not list((root / "derived").glob("*.mark"))


def test_without_ray_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    for name in ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(EngineError, match="Ray is not installed") as caught:
        Cluster("", 2)
    assert "coview[ray]" in caught.value.hint


def test_workers_fit_what_the_cluster_has() -> None:
    assert n_workers_for(0, "cuda", n_cpus=64, n_gpus=3) == 3
    assert n_workers_for(0, "cpu", n_cpus=64, n_gpus=0) == 16
    assert n_workers_for(0, "cpu", n_cpus=2, n_gpus=0) == 1
    assert n_workers_for(5, "cpu", n_cpus=8, n_gpus=0) == 5
    assert n_workers_for(3, "cuda", n_cpus=64, n_gpus=2) == 2


@pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed: coview[ray]")
def test_a_cluster_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    with pytest.raises(EngineError, match=r"cannot be joined: .*refused"):
        Cluster("127.0.0.1:9", 2)


@pytest.mark.parametrize(
    "chosen", [{"engine": "spark"}, {"device": "tpu"}, {"stage": "eyes"}, {"address": "auto"}]
)
def test_a_choice_that_does_not_exist_is_refused(chosen: dict[str, str]) -> None:
    with pytest.raises(SettingsError) as caught:
        RunOptions(**chosen)  # type: ignore[arg-type]
    assert caught.value.hint
