"""Moves recordings through the stages: pending, processing, done or failed."""
