"""Who may see what of a study, and who opened what: the files that say so."""
