"""How dates, durations, numbers and names stand in a sentence: below all that says one."""
