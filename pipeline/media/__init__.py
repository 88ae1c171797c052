"""Clips for the dashboard: cut, kept, forgotten when unused."""
