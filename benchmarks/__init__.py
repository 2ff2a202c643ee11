"""Measurements. Each is a module of its own: `python -m benchmarks.NAME`."""
