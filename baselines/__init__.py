"""Baseline recommenders: a small program of its own, run in an environment of its own."""
