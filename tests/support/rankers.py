"""Small rankers and batches with random weights, for tests of the architecture."""

from dataclasses import fields

import numpy as np
import numpy.typing as npt
import torch
from transformers import AutoModel, BertConfig, LlamaConfig, PretrainedConfig

from features.events import EVENT_WIDTH, EventArrays
from models.ranker.config import RankerConfig
from models.ranker.packed_user import PackedCandidates, PackedUser
from models.ranker.ranker import Ranker

ITEMS, TEXT_WIDTH, FEATURES, CONTEXT = 50, 12, 5, 3


def bert_config() -> PretrainedConfig:
    return BertConfig(
        vocab_size=100,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=128,
    )


def llama_config() -> PretrainedConfig:
    """A decoder with rotary positions and fewer key-value heads than heads."""
    return LlamaConfig(
        vocab_size=100,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        intermediate_size=64,
        max_position_embeddings=128,
    )


def random_ranker(
    language_model: PretrainedConfig, seed: int = 0, candidate_tokens: int = 0
) -> Ranker:
    torch.manual_seed(seed)
    config = RankerConfig(
        language_model=language_model.to_dict(),
        items=ITEMS,
        text_width=TEXT_WIDTH,
        features=[f"feature_{i}" for i in range(FEATURES)],
        event_width=EVENT_WIDTH,
        context_width=CONTEXT,
        outcomes=["engage", "like"],
        candidate_tokens=candidate_tokens,
    )
    ranker = Ranker(config, AutoModel.from_config(language_model))
    for parameter in ranker.head.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return ranker.eval()


def random_user(
    candidates: int, events: int = 6, texts: int = 3, seed: int = 0, candidate_tokens: int = 0
) -> PackedUser:
    random = np.random.default_rng(seed)
    return PackedUser(
        text_ids=tuple(random.integers(1, 100, texts).tolist()),
        events=EventArrays(
            rows=random.integers(-1, ITEMS, events).astype(np.int32),
            actions=random.integers(1, 8, events).astype(np.int32),
            times_ms=np.sort(random.integers(0, 10**12, events)),
            ratings=np.where(np.arange(events) % 2, np.nan, 4.0).astype(np.float32),
            offsets_min=np.full(events, 60, np.int32),
            latitudes=np.full(events, np.nan, np.float32),
            longitudes=np.full(events, np.nan, np.float32),
        ),
        event_vectors=random.normal(size=(events, TEXT_WIDTH)).astype(np.float32),
        candidates=PackedCandidates(
            rows=random.integers(-1, ITEMS, candidates).astype(np.int32),
            vectors=random.normal(size=(candidates, TEXT_WIDTH)).astype(np.float32),
            features=random.normal(size=(candidates, FEATURES)).astype(np.float32),
            texts=random_texts(candidates, candidate_tokens, random),
            context=random.normal(size=(candidates, CONTEXT)).astype(np.float32),
            visible=np.full(candidates, events),
        ),
    )


def random_texts(count: int, most: int, random: np.random.Generator) -> npt.NDArray[np.int32]:
    """Return token ids [count, most] of texts of any length from none on, -1 after the last."""
    tokens = random.integers(1, 100, (count, most)).astype(np.int32)
    lengths = random.integers(0, most + 1, count)
    return np.where(np.arange(most) < lengths[:, None], tokens, np.int32(-1))


def some_candidates(user: PackedUser, places: list[int]) -> PackedUser:
    """Return the user with some of the candidates only, in the given order."""
    c = user.candidates
    part = PackedCandidates(*(getattr(c, field.name)[places] for field in fields(c)))
    return PackedUser(user.text_ids, user.events, user.event_vectors, part)
