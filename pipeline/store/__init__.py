"""Shards of finished work, and the store that is built from them."""
