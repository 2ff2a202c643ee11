"""Interaction logs and item texts to a release: datasets, models, evaluation."""

import models as models  # before torch: it settles how its threads wait
