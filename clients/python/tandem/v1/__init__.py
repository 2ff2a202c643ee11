"""Stubs of the package tandem.v1."""
