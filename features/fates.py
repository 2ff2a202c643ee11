"""Fates of items that might have been otherwise."""

from tandem.v1.item_fate_pb2 import Fate

# Such items may be candidates, though retrieval made them none.
COULD_BE = frozenset((Fate.FATE_NOT_FOUND, Fate.FATE_NOT_A_CANDIDATE))
