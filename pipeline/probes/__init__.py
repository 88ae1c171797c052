"""What the score responds to: sentences changed on purpose, scored on true and null frames."""
