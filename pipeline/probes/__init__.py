"""What drives the score: words are changed, left out and added, and the score is watched."""
