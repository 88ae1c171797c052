"""What is opened as a recording, and what is not whatever it is called."""

import wave
from pathlib import Path

import av
import pytest

from pipeline.media_file import FORMATS, open_media

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
    with pytest.raises(av.error.FFmpegError):
        open_media(tmp_path / name)


def test_a_list_cannot_bring_in_a_file_beside_it(tmp_path: Path) -> None:
    write_sound(tmp_path / "secret.wav")
    disguised = tmp_path / "film.mp4"
    disguised.write_text("ffconcat version 1.0\nfile secret.wav\n")
    with av.open(str(disguised)) as followed:
        assert followed.format.name == "concat"
    with pytest.raises(av.error.FFmpegError):
        open_media(disguised)


def test_every_container_read_is_one_that_ffmpeg_knows() -> None:
    assert [name for name in FORMATS if name not in av.formats_available] == []
