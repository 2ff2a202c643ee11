"""Clients of Tandem, a recommendation backend."""
