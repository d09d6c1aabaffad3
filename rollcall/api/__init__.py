"""What programs read: the documented HTTP API, the same rows as the reports' JSON, inside the bounds of a token."""
