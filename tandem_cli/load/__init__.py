"""Load on a running stack: arrivals on schedule, and what became of each."""
