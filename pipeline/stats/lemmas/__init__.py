"""Words as units: shrunken means of lemmas, and lemma means against norms."""
