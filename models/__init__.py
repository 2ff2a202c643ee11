"""The networks that training fits and serving runs."""

import os

import features as features  # before numpy: it settles how its threads share

# OpenMP threads that spin while they wait take the cores from whatever else runs here: beside one
# busy process a training step took three to five times as long. It is read when torch is loaded,
# so this package comes first.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
