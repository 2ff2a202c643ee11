"""Hundreds to a slate: item features -> language model -> value model -> selector."""
