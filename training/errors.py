"""What can go wrong with a training run for reasons that its user can mend."""


class TrainingError(Exception):
    """The run cannot go on; the message says in one line why."""
