"""One module for each thing done to the program on purpose."""
