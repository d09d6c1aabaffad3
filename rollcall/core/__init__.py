"""The pure middle: facts in, attendance out. Standard library only, no clock, no I/O, no prose.

Times are integer milliseconds since the Unix epoch, durations integer milliseconds.
"""
