"""The command `sound`: train and evaluate language, audio and vision together."""
