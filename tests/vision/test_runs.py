"""Runs of frames decoded side by side give what reading in order gives."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from pipeline.config import FrameSettings
from pipeline.records import Crop, MediaInfo, Notice
from pipeline.vision.frame_folder import FolderFrames
from pipeline.vision.open_clip_model import OpenClipModel
from pipeline.vision.prepared_frames import Preparation, PreparedFrame, prepared_frames
from pipeline.vision.sampled_frame import FrameRun, FrameSource, RunBrokenError, SampledFrame
from pipeline.vision.sampling_plan import PacketIndex, independent_runs
from pipeline.vision.side_by_side import in_order, side_by_side, streams
from pipeline.vision.stage import embed_recording
from pipeline.vision.video_frames import VideoFrames
from tests.vision.numbered_video import Recipe, write_video

PREPARATION = Preparation((Crop.CENTER,), 32, 48)
STEP_MS = 100.0
RECIPES = (
    Recipe("short.mp4", n_frames=240, options={"g": "15", "bf": "0", "preset": "ultrafast"}),
    Recipe("b_frames.mp4", n_frames=240, options={"g": "30", "bf": "3", "preset": "fast"}),
    Recipe(
        "open_groups.mp4",
        n_frames=240,
        options={"g": "15", "bf": "3", "x264-params": "open-gop=1:b-adapt=0:scenecut=0"},
    ),
    Recipe(
        "refreshed.mp4",
        n_frames=240,
        options={"g": "30", "bf": "0", "x264-params": "intra-refresh=1"},
    ),
    Recipe("unlisted.mkv", n_frames=120, options={"g": "15", "preset": "ultrafast"}),
)


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_frames_decoded_side_by_side_are_those_read_in_order(
    tmp_path: Path, recipe: Recipe
) -> None:
    path = write_video(tmp_path, recipe)
    in_turn, source = VideoFrames(path, STEP_MS), VideoFrames(path, STEP_MS)
    expected = [PREPARATION(frame) for frame in in_turn.frames()]
    found = list(prepared_frames(source, PREPARATION, 3))
    _assert_equal(found, expected)
    assert len(found) == recipe.n_frames // 3
    assert source.notices == in_turn.notices


def test_a_recordings_vectors_do_not_depend_on_the_number_of_threads(
    tmp_path: Path, tiny_model: OpenClipModel
) -> None:
    path = write_video(tmp_path, RECIPES[0])
    found = []
    for n_threads in (1, 2, 5):
        with _torch_threads(n_threads):
            found.append(
                embed_recording(
                    "R",
                    VideoFrames(path, STEP_MS),
                    MediaInfo(8000, 192, 128, 30.0, "h264", None),
                    tiny_model,
                    FrameSettings(),
                    tuple(Crop),
                    batch_size=20,
                )
            )
    for other in found[1:]:
        assert other.times_ms.tolist() == found[0].times_ms.tolist()
        assert other.thumbnails == found[0].thumbnails
        for crop in Crop:
            assert np.allclose(other.vectors(crop), found[0].vectors(crop), atol=1e-6)


def test_a_file_that_lists_its_packets_is_divided_where_decoding_starts_anew(
    tmp_path: Path,
) -> None:
    path = write_video(tmp_path, RECIPES[0])
    with VideoFrames(path, STEP_MS).runs() as runs:
        grid = [[frame.grid_index for frame in run()] for run in runs]
    # Groups of half a second, five wanted frames each: the fewest that make 16 are four.
    assert [len(part) for part in grid] == [20, 20, 20, 20]
    assert np.concatenate(grid).tolist() == list(range(80))


def test_a_file_that_lists_nothing_is_one_run(tmp_path: Path) -> None:
    with VideoFrames(write_video(tmp_path, RECIPES[-1]), STEP_MS).runs() as runs:
        assert len(runs) == 1


def test_damage_in_the_middle_costs_and_counts_the_same_frames(tmp_path: Path) -> None:
    path = write_video(tmp_path, RECIPES[0])
    with av.open(str(path)) as container:
        keys = [p for p in container.demux(container.streams.video[0]) if p.is_keyframe]
        place, size = keys[9].pos or 0, keys[9].size
    content = bytearray(path.read_bytes())
    assert place
    content[place + 4 : place + size] = bytes(size - 4)
    path.write_bytes(content)
    in_turn, source = VideoFrames(path, STEP_MS), VideoFrames(path, STEP_MS)
    expected = [PREPARATION(frame) for frame in in_turn.frames()]
    _assert_equal(list(prepared_frames(source, PREPARATION, 3)), expected)
    assert {notice.code for notice in source.notices} & {"frames_not_decoded", "damaged_frames"}
    assert source.notices == in_turn.notices


def test_pictures_are_read_side_by_side_and_unreadable_ones_counted(tmp_path: Path) -> None:
    for number in range(50):
        Image.new("RGB", (60, 40), (number, 0, 0)).save(tmp_path / f"{number:05}.png")
    whole = [
        frame.grid_index for frame in prepared_frames(FolderFrames(tmp_path, 1e3), PREPARATION, 3)
    ]
    assert whole == list(range(50))
    for number in (20, 40):
        (tmp_path / f"{number:05}.png").write_bytes(b"no picture")
    source = FolderFrames(tmp_path, 1000.0)
    left = [frame.grid_index for frame in prepared_frames(source, PREPARATION, 3)]
    assert left == [number for number in range(50) if number not in (20, 40)]
    assert [(notice.code, notice.count) for notice in source.notices] == [
        ("unreadable_pictures", 2)
    ]


class _Breaking:
    """Frames 0 to 9 in two runs, the second of which breaks after frame 6."""

    notices: tuple[Notice, ...] = ()

    def frames(self, after: int = -1) -> Iterator[SampledFrame]:
        return (_frame(k) for k in range(after + 1, 10))

    @contextmanager
    def runs(self) -> Iterator[Sequence[FrameRun]]:
        yield [partial(map, _frame, range(5)), self._broken, self._broken]

    def _broken(self) -> Iterator[SampledFrame]:
        yield from (_frame(5), _frame(6))
        raise RunBrokenError


def _frame(k: int) -> SampledFrame:
    return SampledFrame(k, 1000 * k, np.full((40, 60, 3), k, np.uint8))


def test_what_follows_a_broken_run_is_read_in_order() -> None:
    source: FrameSource = _Breaking()
    found = [frame.grid_index for frame in prepared_frames(source, PREPARATION, 2)]
    assert found == list(range(10))


def test_runs_begin_where_the_decoder_is_emptied_anyway() -> None:
    # Groups of four; the picture after the third key is shown before it and needs the second group.
    pts = np.array([0, 1, 2, 3, 4, 5, 6, 7, 9, 8, 10, 11, 12, 13, 14, 15], np.int64)
    is_key = np.arange(16) % 4 == 0
    index = PacketIndex(pts, is_key, np.ones(16, bool))
    wanted = np.array([1, 4, 9, 12, 14], np.int64)
    runs = [(run.first, run.end, run.start, run.stop) for run in independent_runs(index, wanted, 1)]
    assert runs == [(0, 2, 0, 1), (4, 10, 1, 3), (12, 15, 3, 5)]
    pairs = [(run.start, run.stop) for run in independent_runs(index, wanted, 2)]
    assert pairs == [(0, 3), (3, 5)]
    assert independent_runs(index, np.zeros(0, np.int64), 2) == []


def test_runs_go_on_at_the_same_time_and_their_results_keep_the_order() -> None:
    together = threading.Barrier(3, timeout=10)

    def run(number: int) -> Iterator[tuple[int, int]]:
        if number < 3:
            together.wait()
        yield from ((number, k) for k in range(4))

    with side_by_side([partial(run, n) for n in range(7)], 3, 2) as results:
        assert list(results) == [(n, k) for n in range(7) for k in range(4)]


def test_runs_are_not_started_far_ahead_of_what_is_read() -> None:
    started: list[int] = []

    def run(number: int) -> Iterator[int]:
        started.append(number)
        yield number

    with side_by_side([partial(run, n) for n in range(40)], 2, 4) as results:
        assert next(results) == 0
    assert len(started) <= 4


def test_an_error_of_a_run_arrives_after_the_results_before_it() -> None:
    def failing() -> Iterator[int]:
        yield 2
        raise OSError("gone")

    with side_by_side([lambda: iter([0, 1]), failing, lambda: iter([3])], 2, 4) as results:
        assert [next(results) for _ in range(3)] == [0, 1, 2]
        with pytest.raises(OSError, match="gone"):
            next(results)


def test_threads_that_decode_have_one_thread_of_torch_each() -> None:
    import torch

    with _torch_threads(4):
        runs = [lambda: iter([torch.get_num_threads()])] * 4
        with side_by_side(runs, 2, 4) as results:
            assert list(results) == [1, 1, 1, 1]
        assert torch.get_num_threads() == 4


@contextmanager
def _torch_threads(n: int) -> Iterator[None]:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(n)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def test_calls_go_on_side_by_side_in_order_with_torchs_threads_shared_out() -> None:
    import torch

    before = torch.get_num_threads()
    together = threading.Barrier(2, timeout=10)

    def call(number: int) -> tuple[int, int]:
        together.wait()
        return number, torch.get_num_threads()

    calls: Iterator[Callable[[], tuple[int, int]]] = (partial(call, n) for n in range(6))
    with streams(2) as pool:
        assert list(in_order(pool, calls, 3)) == [(n, 1) for n in range(6)]
    with streams(12) as pool:
        assert list(in_order(pool, iter([torch.get_num_threads] * 3), 2)) == [3, 3, 3]
    assert torch.get_num_threads() == before


def _assert_equal(found: list[PreparedFrame], expected: list[PreparedFrame]) -> None:
    assert [(f.grid_index, f.time_ms, f.thumbnail) for f in found] == [
        (f.grid_index, f.time_ms, f.thumbnail) for f in expected
    ]
    for one, other in zip(found, expected, strict=True):
        assert np.array_equal(one.inputs[Crop.CENTER], other.inputs[Crop.CENTER])
