"""The pages on which completion is decided: activities, policies, classes, corrections, and where it goes."""
