"""Who may see what, asked of a server by everybody for everything."""
