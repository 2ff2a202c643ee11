"""Honest evaluation: full catalogue, no sampled negatives, baselines in the same run."""
