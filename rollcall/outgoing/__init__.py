"""Requests of ours to addresses that others chose: where they may go, and how much of an answer is read."""
