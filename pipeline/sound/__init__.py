"""What the child hears besides words: language, audio and vision in one space."""
