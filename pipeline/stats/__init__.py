"""Arrays in, results out: intervals and what chance leads one to expect."""
