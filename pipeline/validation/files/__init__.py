"""Trials and answers as files: the columns of the published 4AFC study plus ours, and jsPsych's
JSON, both ways."""
