"""The command `rate`: serve the rating screen, and nothing else."""
