"""The command `tandem`: one machine's whole stack, training, and calls to a running gateway."""

import features as features  # before numpy: it settles how its threads share
