"""The sound of an utterance as a file of its own, without pictures."""

from __future__ import annotations

from pathlib import Path

from pipeline.errors import MediaError
from pipeline.media.clips import MAX_CLIP_MS
from pipeline.media.encode import sound_packets, sound_track
from pipeline.media.source import open_source, sound
from pipeline.records import TimeSpan


def write_sound(source: Path, span: TimeSpan, audio_track: int, out: Path) -> None:
    """Write what is heard in `span` of a recording to `out` as AAC in an mp4 container.

    At most MAX_CLIP_MS. A study's track that a recording lacks is its first one. Raises
    MediaError when the recording cannot be read or nothing is heard there.
    """
    import av

    wanted = TimeSpan(span.onset_ms, min(span.offset_ms, span.onset_ms + MAX_CLIP_MS))
    with open_source(source) as container:
        tracks = container.streams.audio
        if not tracks:
            raise MediaError(
                f"{source.name} has no audio track.", hint="Make the trials without sound."
            )
        heard = sound(
            container, tracks[audio_track] if audio_track < len(tracks) else tracks[0], wanted
        )
    n_samples = round((heard.heard_until_ms - wanted.onset_ms) * heard.rate_hz / 1000.0)
    if n_samples <= 0:
        raise MediaError(
            f"{source.name} has no sound at {wanted.onset_ms / 1000:.1f} s.",
            hint="Make the trials without sound.",
        )
    with av.open(str(out), "w", format="mp4", options={"movflags": "+faststart"}) as target:
        track = sound_track(target, heard)
        for packet in sound_packets(track, heard, n_samples):
            target.mux(packet)
