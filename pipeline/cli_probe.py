"""The command `probe`: what the score responds to."""
