"""Embeddings -> cosine per lag -> score per window, each with its matched chance level."""
