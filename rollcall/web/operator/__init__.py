"""Pages for whoever runs Rollcall, and for accounts about themselves."""
