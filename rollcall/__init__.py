"""Who was in the BigBlueButton class, for how long and how actively."""

__version__ = "0.1.0"
