"""What a child hears besides words: audio features, their alignment with pictures and texts."""
