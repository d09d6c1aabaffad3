"""Verdicts on their way to an LMS: what is owed, who sends it by which way, and what a person may do about it."""
