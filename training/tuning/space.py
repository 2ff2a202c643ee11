"""What is searched, and within which bounds."""

from collections.abc import Mapping
from dataclasses import replace

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
)

from training.settings import TrainSettings

# By part, in the order of the search: what is cheap first, and what a part rests on before it.
SPACES: Mapping[str, dict[str, BaseDistribution]] = {
    "cf": {
        "cf_regularization": FloatDistribution(0.5, 200.0, log=True),
        "cf_alpha": FloatDistribution(0.5, 100.0, log=True),
        "cf_width": CategoricalDistribution([32, 64, 128]),
    },
    "neighbours": {"ease_regularization": FloatDistribution(10.0, 2_000.0, log=True)},
    "tower": {
        "tower_width": CategoricalDistribution([64, 128, 192]),
        "tower_dropout": FloatDistribution(0.0, 0.5),
        "tower_learning_rate": FloatDistribution(2e-4, 4e-3, log=True),
    },
    "ranker": {
        "lm_learning_rate": FloatDistribution(1e-5, 2e-4, log=True),
        "learning_rate": FloatDistribution(2e-4, 4e-3, log=True),
        "negatives": CategoricalDistribution([15, 31, 63]),
        "window_share": CategoricalDistribution([0.1, 0.2, 0.4]),
    },
}


def current(part: str, settings: TrainSettings) -> dict[str, object]:
    """Return what `settings` has of the settings of a part."""
    return {name: getattr(settings, name) for name in SPACES[part]}


def including(part: str, settings: TrainSettings) -> dict[str, BaseDistribution]:
    """Return the space of a part, widened where it must be to hold what `settings` has."""
    space = dict(SPACES[part])
    for name, bounds in space.items():
        value = getattr(settings, name)
        if isinstance(bounds, CategoricalDistribution) and value not in bounds.choices:
            space[name] = CategoricalDistribution([*bounds.choices, value])
        if isinstance(bounds, FloatDistribution):
            low, high = min(bounds.low, value), max(bounds.high, value)
            space[name] = FloatDistribution(low, high, log=bounds.log and low > 0)
    return space


def changed(settings: TrainSettings, changes: Mapping[str, object]) -> TrainSettings:
    """Return settings with some changed."""
    return replace(settings, **changes)  # type: ignore[arg-type]
