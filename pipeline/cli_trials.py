"""The command `trials`: make, export and import sets of trials."""
