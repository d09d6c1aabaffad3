"""One module per check; each names the fault and the mend. Checks look and change nothing."""
