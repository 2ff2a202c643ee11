"""What all gradient-boosted trees of the baselines have in common."""

from typing import Any

# The same data give the same trees.
SHARED: dict[str, Any] = {
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "num_threads": 2,
    "deterministic": True,
    "force_row_wise": True,
    "verbose": -1,
}
