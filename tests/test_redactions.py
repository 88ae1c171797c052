"""What metadata/redactions.csv takes away: read strictly, and gone from results and clips."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from pipeline.errors import StudyError
from pipeline.media.clip_cache import clip_name
from pipeline.media.clips import ClipSettings, cut_clip
from pipeline.records import TimeSpan
from pipeline.redactions import (
    NOTHING,
    Redactions,
    read_redactions,
    redactions_text,
    without_blacked_out,
    without_muted,
)
from tests import fakes
from tests.media.recordings import heard_samples, record

HEADER = "recording_id,action,onset_ms,offset_ms\n"


def given(root: Path, text: str) -> Path:
    (root / "metadata").mkdir(exist_ok=True)
    (root / "metadata" / "redactions.csv").write_text(text)
    return root


def test_rows_in_any_order_that_overlap_are_one_stretch(tmp_path: Path) -> None:
    rows = ["r1,blackout,500,900", "r1,mute,0,10", "r2,mute,5,6", "r1,Blackout,100,500"]
    found = read_redactions(given(tmp_path, HEADER + "\n".join(rows)), {"r1", "r2", "r3"})
    assert found == {
        "r1": Redactions((TimeSpan(100, 900),), (TimeSpan(0, 10),)),
        "r2": Redactions((), (TimeSpan(5, 6),)),
    }
    again = read_redactions(given(tmp_path, HEADER + "\n".join(reversed(rows))))
    assert redactions_text(again) == redactions_text(found)
    assert read_redactions(tmp_path / "elsewhere") == {}


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("r9,mute,0,10", "line 2: the study has no recording r9"),
        (",mute,0,10", "no recording"),
        ("r1,hide,0,10", "action is 'hide'"),
        ("r1,mute,10,10", "empty"),
        ("r1,mute,20,10", "empty"),
        ("r1,mute,-5,10", "begins before 0"),
        ("r1,mute,1.5,10", "not whole"),
        ("r1,mute,,10", "not whole"),
    ],
)
def test_a_row_that_could_leave_a_stretch_open_is_refused(
    tmp_path: Path, row: str, words: str
) -> None:
    with pytest.raises(StudyError, match=words):
        read_redactions(given(tmp_path, HEADER + row + "\n"), {"r1"})


def test_muted_words_and_blacked_out_frames_are_not_in_results() -> None:
    said, frames = fakes.transcript("r1"), fakes.frames("r1")
    second = said.utterances[1].span
    muted = without_muted(said, (TimeSpan(second.offset_ms - 1, second.offset_ms + 1),))
    assert [u.span for u in muted.utterances] == [
        u.span for u in said.utterances if u.span != second
    ]
    assert muted.notices[-1].message.startswith("1 utterance(s)")
    low, high = int(frames.times_ms[3]), int(frames.times_ms[5])
    seen = without_blacked_out(frames, (TimeSpan(low, high),))
    kept = [0, 1, 2, *range(5, len(frames.times_ms))]
    assert seen.times_ms.tolist() == frames.times_ms[kept].tolist()
    assert seen.thumbnails == tuple(frames.thumbnails[i] for i in kept)
    np.testing.assert_array_equal(seen.crops[0].vectors, frames.crops[0].vectors[kept])
    assert without_blacked_out(frames, ()) is frames


def test_clips_are_black_and_silent_in_the_stretch_and_nowhere_else(tmp_path: Path) -> None:
    source = record(tmp_path / "a.mp4", seconds=8, fps=10)
    span = TimeSpan(2_000, 6_000)
    hidden = Redactions((TimeSpan(3_250, 4_050),), (TimeSpan(4_500, 5_000),))
    settings = ClipSettings(lead_ms=0, lag_ms=0, redactions=hidden)
    cut_clip(source, span, tmp_path / "clip.mp4", settings)
    with av.open(str(tmp_path / "clip.mp4")) as container:
        bright = {
            round(2_000 + (frame.time or 0.0) * 1_000, -2): frame.to_ndarray(format="gray").max()
            for frame in container.decode(video=0)
        }
    is_black = {time_ms for time_ms, level in bright.items() if level < 30}
    assert is_black == {3_200, *range(3_300, 4_100, 100)}
    samples = np.abs(heard_samples(tmp_path / "clip.mp4"))
    assert samples[48 * 2_550 : 48 * 2_950].max() < 0.001
    assert samples[48 * 2_000 : 48 * 2_450].max() > 0.3
    assert samples[48 * 3_050 : 48 * 3_500].max() > 0.3


def test_a_redaction_renames_the_clips_that_show_it_and_no_others(tmp_path: Path) -> None:
    source = record(tmp_path / "a.mp4", seconds=2, fps=10)
    plain = ClipSettings()
    hidden = replace(plain, redactions=Redactions((TimeSpan(5_000, 6_000),)))
    assert plain.redactions == NOTHING
    far, near = TimeSpan(100, 900), TimeSpan(3_000, 4_500)
    assert clip_name(source, far, hidden) == clip_name(source, far, plain)
    assert clip_name(source, near, hidden) != clip_name(source, near, plain)
