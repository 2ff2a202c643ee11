"""Hundreds to a slate: item features -> language model -> value model -> selector."""

import models as models  # before torch: it settles how its threads wait
