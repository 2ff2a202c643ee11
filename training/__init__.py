"""Interaction logs and item texts to a release: datasets, models, evaluation."""
