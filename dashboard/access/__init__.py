"""Who is looking: sign-in, roles, and the gate before every page and route."""
