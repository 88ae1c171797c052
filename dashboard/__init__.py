"""The dashboard: explore a store of alignment scores. Never writes to it."""
