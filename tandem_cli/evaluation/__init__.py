"""Runs an evaluation: systems in processes of their own, Tandem through a stack of its own."""
