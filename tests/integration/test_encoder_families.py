"""Chinese and multilingual encoders are served as they come."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from tokenizers import Tokenizer
from transformers import AutoModel

from serving.text_encoder import TextEncoder
from tandem_cli.encoder_directory import prepare, read_about
from tests.support.encoder_families import write_bert_base_chinese, write_bge_m3
from tests.support.triton import running_triton

TEXTS = ["安静的书店", "重金属音乐会", "book 书店", "书" * 400, "", "कथा"]
Float32 = npt.NDArray[np.float32]


@pytest.mark.parametrize(
    ("write", "pooling", "max_tokens"),
    [(write_bert_base_chinese, "mean", 512), (write_bge_m3, "cls", 128)],
)
def test_vectors_are_those_of_transformers(
    tmp_path: Path, write: Callable[[Path], Path], pooling: str, max_tokens: int
) -> None:
    weights = write(tmp_path / "weights")
    directory = prepare(weights, tmp_path / "encoders")
    about = read_about(directory)
    assert (about["pooling"], about["max_tokens"]) == (pooling, max_tokens)
    with running_triton(tmp_path, directory) as triton:
        found, truncated = asyncio.run(encoded(triton.settings.target))
    expected = reference(weights, directory, pooling, max_tokens)
    assert (found * expected).sum(axis=1).min() >= 0.999
    assert truncated.tolist() == [False, False, False, max_tokens < 400, False, False]
    # Random weights tell texts apart, so that the agreement says something.
    assert found[0] @ found[1] < 0.999


async def encoded(target: str) -> tuple[Float32, npt.NDArray[np.bool_]]:
    client = TextEncoder(target)
    try:
        return await client.encode(TEXTS, timeout=20.0)
    finally:
        await client.close()


def reference(weights: Path, directory: Path, pooling: str, max_tokens: int) -> Float32:
    """Return what transformers makes of each text alone."""
    model = AutoModel.from_pretrained(weights, dtype=torch.float32).eval()
    tokenizer = Tokenizer.from_file(str(directory / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_tokens)
    vectors = []
    for text in TEXTS:
        ids = torch.tensor([tokenizer.encode(text).ids])
        with torch.inference_mode():
            states = model(input_ids=ids).last_hidden_state[0]
        pooled = states[0] if pooling == "cls" else states.mean(dim=0)
        vectors.append(torch.nn.functional.normalize(pooled, dim=0).numpy())
    return np.stack(vectors)
