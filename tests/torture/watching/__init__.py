"""People who watch clips: a server, browsers that ask as real ones do, and what they met."""
