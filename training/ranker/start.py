"""An untrained ranker for a data set, on a pretrained language model."""

from pathlib import Path

import numpy as np

from features.candidates import FEATURES
from features.context import CONTEXT_WIDTH
from features.events import EVENT_WIDTH
from models.ranker.config import MAX_TEXT_TOKENS, RankerConfig
from models.ranker.ranker import Ranker, language_model_config, new_ranker
from models.ranker.text import PrefixTokenizer
from training.datasets.format import Dataset
from training.errors import TrainingError
from training.interactions import Interactions
from training.parts import parts_of
from training.ranker.outcomes import outcome_labels
from training.ratings import mean_and_scale
from training.settings import TrainSettings

# How a value is made of the outcomes that a release's model knows.
VALUE_WEIGHTS = {"engage": 1.0, "like": 0.1, "purchase": 0.1}


def build_ranker(
    dataset: Dataset, interactions: Interactions, directory: Path, settings: TrainSettings
) -> tuple[Ranker, PrefixTokenizer]:
    """Return an untrained ranker on a pretrained language model, and its tokenizer."""
    ratings = interactions.events.ratings[np.isfinite(interactions.events.ratings)]
    labels = outcome_labels(interactions.events, float(ratings.max(initial=0.0)))
    mean, scale = mean_and_scale(ratings)
    own = Path(settings.language_model or directory)
    language_model = language_model_config(own)
    parts = parts_of(settings.parts)
    check_length(language_model, settings)
    config = RankerConfig(
        language_model=language_model,
        items=len(dataset.items),
        spaces={name: int(space.shape[1]) for name, space in dataset.vectors.items()},
        text_width=int(str(language_model_config(directory)["hidden_size"])),
        features=FEATURES,
        event_width=EVENT_WIDTH,
        context_width=CONTEXT_WIDTH,
        outcomes=["engage", *labels],
        rating_mean=mean,
        rating_scale=scale,
        value_weights=VALUE_WEIGHTS,
        id_width=settings.id_width,
        max_history=settings.max_history,
        candidate_tokens=settings.candidate_tokens,
        withheld=parts.withheld,
        language=parts.language,
        ids=parts.ids,
        head=parts.head,
    )
    return new_ranker(config, own), PrefixTokenizer(own, config.max_text_tokens)


def check_length(language_model: dict[str, object], settings: TrainSettings) -> None:
    """Raise TrainingError where a language model has too few positions for what it is to read."""
    longest = MAX_TEXT_TOKENS + settings.max_history + 1 + settings.candidate_tokens
    positions = language_model.get("max_position_embeddings")
    if isinstance(positions, int) and longest > positions:
        raise TrainingError(
            f"max_history={settings.max_history}, candidate_tokens={settings.candidate_tokens} and "
            f"{MAX_TEXT_TOKENS} tokens of words need {longest} positions; the language model has "
            f"{positions}"
        )
