"""Speaks to Moodle's web services, as a user that Moodle's administrator has made for Rollcall."""
