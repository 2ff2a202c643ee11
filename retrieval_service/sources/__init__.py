"""The sources of candidates, one file each. Each yields its whole result, best first."""
