"""What friends are known to have used in a trial."""

import numpy as np

from training.evaluation.replay_order import replay_order
from training.evaluation.trial import Trial
from training.friends import Friends, collect_friends


def friends_in(trial: Trial) -> Friends:
    """Return the friends of a trial's users with the events that are ever recorded in it.

    When users are asked at the same time, what a friend did between two asks may not be recorded
    yet although it is earlier; of that, this knows a little more than what is served.
    """
    order = replay_order(trial)
    recorded = order.first.copy()
    recorded[np.array(sorted(order.later_rows()), np.int64)] = True
    return collect_friends(trial.dataset, trial.events.where(recorded[trial.events.file_rows]))
