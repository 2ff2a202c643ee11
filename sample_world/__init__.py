"""The sample world: a made-up catalogue and made-up people whose tastes are known."""

from sample_world.truth import Truth
from sample_world.truth_files import read_truth
from sample_world.world import DOMAINS, WorldError, write_world

__all__ = ["DOMAINS", "Truth", "WorldError", "read_truth", "write_world"]
