"""From a recording to its utterances: import a transcript or run Whisper, then cut and label."""
