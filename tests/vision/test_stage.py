from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.config import FrameSettings
from pipeline.errors import MediaError, TranscriptError
from pipeline.records import Crop, MediaInfo, Notice, TimeSpan, Utterance
from pipeline.results import Transcript
from pipeline.vision.crops import model_inputs
from pipeline.vision.open_clip_model import OpenClipModel
from pipeline.vision.prepared_frames import thumbnail_jpeg
from pipeline.vision.probe import probe_media
from pipeline.vision.sampled_frame import FrameRun
from pipeline.vision.sampling import SampledFrame, open_frames
from pipeline.vision.stage import embed_recording, embed_utterances
from tests.vision.numbered_video import Recipe, number_of, write_video

MEDIA = MediaInfo(10_000, 192, 128, 30.0, "h264", None)
FRAMES = FrameSettings()
ALL = tuple(Crop)


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stage")
    return write_video(folder, Recipe("v.mp4", n_frames=300, options={"preset": "ultrafast"}))


def test_a_recording_becomes_vectors_thumbnails_and_times(
    video: Path, tiny_model: OpenClipModel
) -> None:
    done: list[int] = []
    result = embed_recording(
        "REC1",
        open_frames(video, None, 1000.0),
        probe_media(video),
        tiny_model,
        FrameSettings(thumbnail_px=96),
        ALL,
        batch_size=16,
        on_frame=done.append,
    )
    assert result.times_ms.tolist() == [1000 * k for k in range(10)]
    assert result.grid_index.tolist() == list(range(10))
    assert {c.crop: c.vectors.shape for c in result.crops} == {
        Crop.CENTER: (10, 1, 32),
        Crop.PAD: (10, 1, 32),
        Crop.SQUASH: (10, 1, 32),
        Crop.MULTI: (10, 3, 32),
    }
    assert done == sorted(done)
    assert done[-1] == 10
    thumbnails = [Image.open(io.BytesIO(jpeg)) for jpeg in result.thumbnails]
    assert thumbnails[0].size == (144, 96)
    assert [number_of(np.array(t)) for t in thumbnails] == [30 * k for k in range(10)]


@pytest.mark.parametrize("batch_size", [1, 7, 64])
def test_each_vector_is_that_of_its_own_frame_and_crop(
    video: Path, tiny_model: OpenClipModel, batch_size: int
) -> None:
    result = embed_recording(
        "R", open_frames(video, None, 2000.0), MEDIA, tiny_model, FRAMES, ALL, batch_size=batch_size
    )
    for row, frame in enumerate(open_frames(video, None, 2000.0).frames()):
        for crop, inputs in model_inputs(frame.image, ALL, 32).items():
            expected = tiny_model.embed_images(inputs)
            assert np.allclose(result.vectors(crop)[row], expected, atol=1e-5)


def test_the_centre_crop_alone_can_be_asked_for(video: Path, tiny_model: OpenClipModel) -> None:
    result = embed_recording(
        "R", open_frames(video, None, 1000.0), MEDIA, tiny_model, FRAMES, (Crop.CENTER,)
    )
    assert [entry.crop for entry in result.crops] == [Crop.CENTER]


class _Frames:
    """A source of `n` frames that may fail after them."""

    def __init__(self, n: int, problem: Exception | None = None) -> None:
        self.n, self.problem, self.n_read = n, problem, 0
        self.notices = (Notice("made_up", "a notice"),)

    @contextmanager
    def runs(self) -> Iterator[Sequence[FrameRun]]:
        yield [self.frames]

    def frames(self, after: int = -1) -> Iterator[SampledFrame]:
        for k in range(after + 1, self.n):
            self.n_read += 1
            yield SampledFrame(k, 1000 * k, np.full((40, 60, 3), k % 256, np.uint8))
        if self.problem is not None:
            raise self.problem


def test_notices_of_the_source_are_kept(tiny_model: OpenClipModel) -> None:
    result = embed_recording("R", _Frames(3), MEDIA, tiny_model, FRAMES, (Crop.CENTER,))
    assert [notice.code for notice in result.notices] == ["made_up"]


def test_an_error_while_decoding_arrives_where_the_stage_was_called(
    tiny_model: OpenClipModel,
) -> None:
    source = _Frames(5, MediaError("the disk is gone", hint="plug it in"))
    with pytest.raises(MediaError, match="the disk is gone"):
        embed_recording("R", source, MEDIA, tiny_model, FRAMES, ALL)


def test_a_recording_without_frames_is_refused(tiny_model: OpenClipModel) -> None:
    with pytest.raises(MediaError, match="No frame of R could be decoded"):
        embed_recording("R", _Frames(0), MEDIA, tiny_model, FRAMES, ALL)


def test_decoding_stops_when_the_model_fails(tiny_model: OpenClipModel) -> None:
    class Failing:
        ref = tiny_model.ref

        def embed_images(self, images: Sequence[np.ndarray]) -> np.ndarray:
            raise MemoryError

        def embed_texts(self, texts: Sequence[str]) -> np.ndarray:
            raise MemoryError

    source = _Frames(100_000)
    with pytest.raises(MemoryError):
        embed_recording("R", source, MEDIA, Failing(), FRAMES, ALL)
    assert source.n_read < 200


def _transcript(*texts: str) -> Transcript:
    utterances = tuple(
        Utterance(f"u{k}", "R", TimeSpan(1000 * k, 1000 * k + 500), text)
        for k, text in enumerate(texts)
    )
    return Transcript("R", MEDIA, utterances, "made up.csv")


def test_utterances_are_embedded_in_their_order_by_id(tiny_model: OpenClipModel) -> None:
    texts = ("look!", "the ball", "look!", "Look!")
    result = embed_utterances(_transcript(*texts), tiny_model)
    assert result.utterance_ids == ("u0", "u1", "u2", "u3")
    assert np.allclose(result.vectors, tiny_model.embed_texts(texts), atol=1e-6)
    assert np.array_equal(result.vectors[0], result.vectors[2])


def test_a_recording_without_speech_has_no_text_vectors(tiny_model: OpenClipModel) -> None:
    assert embed_utterances(_transcript(), tiny_model).vectors.shape == (0, 32)


def test_an_utterance_without_text_is_refused_with_its_place(tiny_model: OpenClipModel) -> None:
    with pytest.raises(TranscriptError, match="utterance at 1000 ms of R"):
        embed_utterances(_transcript("a", " "), tiny_model)


@pytest.mark.parametrize(
    ("width", "height", "expected"),
    [(1080, 1920, (240, 427)), (1920, 1080, (427, 240)), (100, 80, (100, 80))],
)
def test_thumbnails_show_the_whole_frame_and_are_never_enlarged(
    width: int, height: int, expected: tuple[int, int]
) -> None:
    jpeg = thumbnail_jpeg(np.full((height, width, 3), 120, np.uint8), 240)
    assert Image.open(io.BytesIO(jpeg)).size == expected


def test_utterances_longer_than_the_model_reads_are_counted(tiny_model: OpenClipModel) -> None:
    texts = ("a ball", "ball " * 200, "dog " * 100)
    utterances = tuple(
        Utterance(f"u{i}", "R", TimeSpan(1000 * i, 1000 * i + 500), text)
        for i, text in enumerate(texts)
    )
    embedded = embed_utterances(Transcript("R", MEDIA, utterances, "made up"), tiny_model)
    (notice,) = embedded.notices
    assert notice.code == "text_truncated"
    assert notice.count == 2
