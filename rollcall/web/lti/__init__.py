"""Pages that an LMS sends people to."""
