"""Runs of a small study, disturbed in every way that is known to happen."""
