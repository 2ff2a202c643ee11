"""What can be set of the encoder's training."""

from dataclasses import dataclass


@dataclass(frozen=True)
class PretrainSettings:
    """Settings of one pre-training.

    steps at most; head_steps: of the head alone, before, with the encoder as it came. batch_texts:
    texts per step. max_tokens: of a text that are read. held_out_share, held_out_most: distinct
    texts that only the loss is measured on. looks: how often it is measured; patience: looks
    without a lower loss after which training ends. anchor: weight of the distance, 1 - cosine,
    between a masked text's vector and the vector that the encoder gave the whole text before.
    recall_users: users at most whose validation event is looked for.
    """

    seed: int = 7
    steps: int = 1_000
    head_steps: int = 200
    batch_texts: int = 32
    max_tokens: int = 128
    held_out_share: float = 0.1
    held_out_most: int = 1_000
    looks: int = 10
    patience: int = 3
    anchor: float = 10.0
    learning_rate: float = 3e-5
    head_learning_rate: float = 1e-3
    weight_decay: float = 0.01
    warm_up_share: float = 0.1
    recall_users: int = 2_000


@dataclass(frozen=True)
class BehaviourSettings:
    """Settings of one fine-tuning on behaviour.

    steps at most, each of `moments` moments at which somebody took something and of `batch_texts`
    texts that are read. max_tokens: of a text that are read. hard_negatives: for each moment the
    nearest texts that the user did not take. temperature: by which cosines are divided. looks: how
    often recall is measured; patience: looks without a higher one after which training ends.
    anchor: weight of the distance, 1 - cosine, between a text's vector and the one that it had
    before. recall_users: users at most whose events are looked for.
    """

    seed: int = 7
    steps: int = 400
    moments: int = 512
    batch_texts: int = 128
    max_tokens: int = 128
    hard_negatives: int = 50
    temperature: float = 0.05
    looks: int = 5
    patience: int = 2
    anchor: float = 5.0
    learning_rate: float = 5e-5
    weight_decay: float = 0.01
    warm_up_share: float = 0.1
    recall_users: int = 2_000
