"""What only those who work on Rollcall run."""
