"""Human validation: trial sets made from a store, answers in and out, what they say."""
