"""`python -m pipeline COMMAND`."""

from pipeline.cli import main

main()
