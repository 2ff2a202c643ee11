"""Fitting the user tower."""
