"""What is opened as a recording, and what is not whatever it is called."""

import wave
from pathlib import Path

import av
import numpy as np
import pytest

from pipeline.media_file import FORMATS, SteadyResampler, open_media, read_packets
from tests.torture.hostile.recordings import N_PICTURES, make_recording

ELSEWHERE = "http://127.0.0.1:9/film.ts"
LISTS = {
    "hls.mp4": f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{ELSEWHERE}\n#EXT-X-ENDLIST\n",
    "hls.m3u8": f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{ELSEWHERE}\n#EXT-X-ENDLIST\n",
    "concat.mp4": f"ffconcat version 1.0\nfile {ELSEWHERE}\n",
    "session.mp4": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n"
    "m=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n",
}


def write_sound(path: Path) -> None:
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(b"\0" * 16_000)


def test_a_sound_file_is_opened_by_its_content(tmp_path: Path) -> None:
    write_sound(tmp_path / "called.mp4")
    with open_media(tmp_path / "called.mp4") as container:
        assert container.format.name == "wav"


@pytest.mark.parametrize("name", LISTS)
def test_a_list_of_other_files_or_addresses_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(LISTS[name])
    with pytest.raises(av.error.FFmpegError), open_media(tmp_path / name):
        pass


def test_a_list_cannot_bring_in_a_file_beside_it(tmp_path: Path) -> None:
    write_sound(tmp_path / "secret.wav")
    disguised = tmp_path / "film.mp4"
    disguised.write_text("ffconcat version 1.0\nfile secret.wav\n")
    with av.open(str(disguised)) as followed:
        assert followed.format.name == "concat"
    with pytest.raises(av.error.FFmpegError), open_media(disguised):
        pass


def test_every_container_read_is_one_that_ffmpeg_knows() -> None:
    assert [name for name in FORMATS if name not in av.formats_available] == []


def test_sound_that_changes_its_rate_and_channels_midway_is_heard_to_the_end() -> None:
    steady = SteadyResampler("flt", "mono", 16_000)
    heard = []
    for rate_hz, layout in ((16_000, "mono"), (8_000, "stereo"), (44_100, "mono")):
        shape = (1, rate_hz * (2 if layout == "stereo" else 1))
        frame = av.AudioFrame.from_ndarray(np.zeros(shape, np.int16), format="s16", layout=layout)
        frame.sample_rate = rate_hz
        heard += steady.resample(frame)
    heard += steady.resample(None)
    assert {(f.sample_rate, f.layout.name, f.format.name) for f in heard} == {
        (16_000, "mono", "flt")
    }
    assert sum(f.samples for f in heard) == pytest.approx(3 * 16_000, abs=100)


def test_a_stream_that_begins_amid_the_file_does_not_stop_the_others(tmp_path: Path) -> None:
    """Programs of a transport stream may begin at any place; av stumbles over them at the end."""
    raw = b"".join(
        make_recording(kind, tmp_path / f"{n}.ts").read_bytes()
        for n, kind in enumerate(("mpeg2.ts", "mpeg2.ts"))
    )
    # From the middle on the sound has another number: a stream that nobody announced.
    path = tmp_path / "late.ts"
    half = len(raw) // 2 // 188 * 188
    path.write_bytes(raw[:half] + _renumbered(raw[half:], 0x101, 0x123))
    with open_media(path) as container:
        video = container.streams.video[0]
        n = sum(1 for packet in read_packets(container, video) if packet.size)
    assert n == 2 * N_PICTURES


def _renumbered(stream: bytes, old: int, new: int) -> bytes:
    """A transport stream, and its table of programs, with another number for one of its parts."""
    changed = bytearray(stream)
    for start in range(0, len(changed), 188):
        number = (changed[start + 1] & 0x1F) << 8 | changed[start + 2]
        if number == old:
            changed[start + 1] = changed[start + 1] & 0xE0 | new >> 8
            changed[start + 2] = new & 0xFF
    return bytes(changed)
