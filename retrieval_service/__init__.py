"""Catalogue to hundreds: owns the catalogue of record, the indexes made of it, and the sources."""
