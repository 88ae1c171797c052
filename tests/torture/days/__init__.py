"""Five days of use in minutes: what is done on a day, and what may lie in a study after it."""
