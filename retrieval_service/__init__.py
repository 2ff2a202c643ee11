"""Catalogue to hundreds: owns the catalogue of record, the indexes made of it, and the sources."""

import features as features  # before numpy: it settles how its threads share
