"""The toy world: scenes, speech and small models with a known truth."""
