"""Training: configuration, loop, log and curves."""
