"""What goes out: derived rows sent on to other systems, once each."""
