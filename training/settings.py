"""What can be set of a training run."""

from dataclasses import dataclass


@dataclass(frozen=True)
class TrainSettings:
    """Settings of one training run, recorded in the release's manifest.

    cf_width, cf_regularization, cf_alpha, cf_iterations: of iALS. neighbours: kept for each item.
    ease_items: the most items for which neighbours are EASE's weights, as its cost is cubic; for
    more they are cosines. ease_regularization: of EASE.
    tower_*: of the user tower; events: about how many an epoch reads at most, of users in turn;
    batch_events: events per step; negatives: items that a step tells
    the targets from, where the catalogue is more than twice as large; epochs at most, patience in
    epochs, and epochs by which a fitted tower goes on when there is more to learn from.
    source_depth: how many candidates each source gives. candidate_count: how many of their union
    are ranked. window_share, window_least, window_most: the newest events of each user, as a share
    of all and in number, that the ranker learns from and CF does not see. positions, window_of_all:
    how many of them there are at most, in all and as a share of all events. negatives: candidates
    per position. judgements: events of known outcome, such as ratings, that are learned beside.
    words_share: share of positions that come once more with words that ask for them. newcomers: how
    many come at most once more as those of users without history. head_epochs: of
    the features' head alone, before the language model joins it. epochs at most, patience in
    epochs; batch_positions: positions per step. learning rates of the language model and of the
    rest. parts: what the ranker is made of, a key of `training.parts.PARTS`. language_model: a
    Hugging Face directory that the ranker starts from, the text encoder's by default.
    candidate_tokens: how many tokens of a candidate's text it reads: 0 is item mode, which costs
    one token for each candidate, more is text mode. lora_rank: of adapters that are trained in
    place of the whole language model; 0 for none. private_noise: of differentially private
    fine-tuning, in units of private_clip, the greatest norm of what one user's gradient adds;
    0 for none. private_users: of a step, on average.
    """

    seed: int = 7
    cf_width: int = 64
    cf_regularization: float = 10.0
    cf_alpha: float = 10.0
    cf_iterations: int = 15
    neighbours: int = 200
    ease_items: int = 15_000
    ease_regularization: float = 150.0
    tower_width: int = 128
    tower_layers: int = 2
    tower_heads: int = 2
    tower_dropout: float = 0.2
    tower_learning_rate: float = 1e-3
    tower_events: int = 1_000_000
    tower_batch_events: int = 4096
    tower_negatives: int = 2048
    tower_epochs: int = 30
    tower_patience: int = 4
    tower_refit_epochs: int = 4
    source_depth: int = 200
    candidate_count: int = 400
    window_share: float = 0.2
    window_least: int = 5
    window_most: int = 20
    window_of_all: float = 0.15
    positions: int = 30_000
    negatives: int = 31
    judgements: int = 20_000
    words_share: float = 0.08
    newcomers: int = 4_000
    epochs: int = 1
    patience: int = 2
    parts: str = "all"
    language_model: str = ""
    candidate_tokens: int = 0
    lora_rank: int = 0
    private_noise: float = 0.0
    private_clip: float = 1.0
    private_users: int = 256
    batch_positions: int = 32
    chunk_positions: int = 8
    head_epochs: int = 8
    lm_learning_rate: float = 5e-5
    learning_rate: float = 1e-3
    weight_decay: float = 0.01
    id_width: int = 64
    max_history: int = 50
    validation_users: int = 600
    evaluation_users: int = 2_000
