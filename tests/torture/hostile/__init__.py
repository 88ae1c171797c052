"""What the parts `hostile_files` and `hostile_text` hand to the program."""
