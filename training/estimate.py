"""How long a training run will take and how much memory, by a rough rule."""

from collections.abc import Mapping
from dataclasses import dataclass

from features.candidates import FEATURES, SOURCES
from training.settings import TrainSettings

# Seconds on 2 cores of an AMD EPYC with AVX-512 and bfloat16, otherwise idle; docs/training.md
# tells what they were measured on.
ENCODE_S_PER_TEXT = 3e-3
ENCODE_S_PER_CHARACTER = 1.5e-5
EASE_S_PER_CUBED_ITEM = 5e-11
IALS_S_PER_EVENT = 1.1e-7
TOWER_S_PER_EVENT = 8.5e-5
CANDIDATES_S_PER_TARGET = 4e-3
HEAD_S_PER_TARGET = 8e-4
# For each token and million parameters of the language model's blocks: with gradients, and without.
LEARN_S_PER_TOKEN = 5e-5
SCORE_S_PER_TOKEN = 1.7e-5
# What early stopping has left of the epochs in the runs that were looked at.
USUAL_SHARE = 0.7
# The settings that the figures are for.
CF_WIDTH, TOWER_WIDTH, POSITION_TOKENS, POSITIONS = 64, 128, 38, 32

MIB = 2.0**20
BASE_MIB = 560.0
TOWER_MIB = 720.0
# Of a batch of POSITIONS positions with POSITION_TOKENS tokens each.
BATCH_MIB = 540.0
BYTES_PER_EVENT = 260
# A feature in half precision, score and rank of each source likewise, and the row.
BYTES_PER_CANDIDATE = 2 * len(FEATURES) + 4 * len(SOURCES) + 4
# Weights, gradients, two moments and the best state, float32.
BYTES_PER_PARAMETER = 20
EASE_MATRICES = 3


@dataclass(frozen=True)
class Counts:
    """What a run is made of.

    characters: of all texts. learn, validate, test: targets. text_width: of the encoder's vectors,
    with those of media. language_model: its Hugging Face configuration.
    """

    events: int
    items: int
    texts: int
    characters: int
    learn: int
    validate: int
    test: int
    text_width: int
    language_model: Mapping[str, object]


@dataclass(frozen=True)
class Estimate:
    """Seconds by stage, as usual and at most (where no epoch is saved), and memory in MiB."""

    usual_s: Mapping[str, float]
    most_s: Mapping[str, float]
    memory_mib: float

    def line(self) -> str:
        """Return what people are told."""
        usual, most = sum(self.usual_s.values()) / 60, sum(self.most_s.values()) / 60
        stages = ", ".join(f"{name} {_short(value)}" for name, value in self.usual_s.items())
        return (
            f"estimate, for 2 idle cores: about {max(usual, 1):.0f} min, at most "
            f"{max(most, 1):.0f} min ({stages}), and {self.memory_mib / 1024:.1f} GiB of memory"
        )


def estimate(counts: Counts, settings: TrainSettings) -> Estimate:
    """Return about how long a run takes and how much memory."""
    fits = 3 if counts.test else 2
    block, words = parameters(counts.language_model)
    ease = EASE_S_PER_CUBED_ITEM * counts.items**3 if counts.items <= settings.ease_items else 0.0
    ials = IALS_S_PER_EVENT * counts.events * settings.cf_iterations
    ials *= settings.cf_width / CF_WIDTH
    # Work for each event grows with the width of what is multiplied, and its share of all that is.
    read = min(counts.events, settings.tower_events)
    tower = TOWER_S_PER_EVENT * read * (0.5 + 0.5 * settings.tower_width / TOWER_WIDTH)
    history = settings.max_history / settings.chunk_positions
    tokens = 1 + settings.candidate_tokens
    position = (settings.negatives + 1) * tokens + history
    judged = 1.15 if settings.judgements else 1.0
    epoch = LEARN_S_PER_TOKEN * block / 1e6 * position * counts.learn * judged
    scored = (
        SCORE_S_PER_TOKEN * block / 1e6 * (settings.candidate_count * tokens + settings.max_history)
    )

    def stages(share: float) -> dict[str, float]:
        epochs = max(share * settings.epochs, min(settings.epochs, 1))
        return {
            "texts": ENCODE_S_PER_TEXT * counts.texts + ENCODE_S_PER_CHARACTER * counts.characters,
            "collaborative filtering": fits * (ease + ials),
            "user tower": tower
            * (share * settings.tower_epochs + (fits - 1) * settings.tower_refit_epochs),
            "candidates": CANDIDATES_S_PER_TARGET * (counts.learn + counts.validate + counts.test),
            "ranker": HEAD_S_PER_TARGET * counts.learn * settings.head_epochs
            + epochs * epoch
            + scored * counts.validate * (epochs + 1),
            "evaluation": scored * counts.test,
        }

    targets = counts.learn + counts.validate + counts.test
    examples = targets * settings.candidate_count * BYTES_PER_CANDIDATE
    tables = counts.items * (3 * counts.text_width + 2 * settings.tower_width) * 4
    ranker = (block + words) * BYTES_PER_PARAMETER
    matrices = EASE_MATRICES * 4 * counts.items**2 if counts.items <= settings.ease_items else 0
    size = settings.batch_positions * position / (POSITIONS * POSITION_TOKENS)
    memory = (
        BASE_MIB
        + TOWER_MIB
        + (BYTES_PER_EVENT * counts.events + tables) / MIB
        + max(matrices / MIB, (examples + ranker) / MIB + BATCH_MIB * size)
    )
    return Estimate(stages(USUAL_SHARE), stages(1.0), memory)


def parameters(language_model: Mapping[str, object]) -> tuple[int, int]:
    """Return how many weights a language model has in its blocks, and in its word embeddings."""
    hidden = _number(language_model, "hidden_size", 384)
    inner = _number(language_model, "intermediate_size", 4 * hidden)
    layers = _number(language_model, "num_hidden_layers", 6)
    words = _number(language_model, "vocab_size", 30_000) * hidden
    return layers * (4 * hidden * hidden + 2 * hidden * inner), words


def _number(config: Mapping[str, object], name: str, otherwise: int) -> int:
    value = config.get(name)
    return value if isinstance(value, int) else otherwise


def _short(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
