"""A release that was really trained, on a small made-up data set with a small language model."""

import json
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path
from unittest.mock import patch

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import AutoModel, PretrainedConfig

from tests.support.rankers import bert_config
from training.progress import Say
from training.run import train
from training.settings import TrainSettings

# Small matrices: a second thread would only wait for the first.
torch.set_num_threads(1)
WIDTH = 32
USERS, ITEMS = 60, 40
SETTINGS = TrainSettings(
    cf_width=8,
    cf_iterations=5,
    neighbours=10,
    source_depth=20,
    candidate_count=30,
    epochs=2,
    negatives=7,
    batch_positions=16,
    id_width=8,
    window_of_all=1.0,
    words_share=0.3,
)


def write_two_tastes(directory: Path, *, repeat: bool = False) -> Path:
    """Write a data set of two tastes, red and blue: people take items of one colour, in turn."""
    directory.mkdir(parents=True)
    items = ["item_id,title,categories"]
    items += [f"i{i},{_colour(i)} thing {i},{_colour(i)}|things" for i in range(ITEMS)]
    (directory / "items.csv").write_text("\n".join(items) + "\n")
    random = np.random.default_rng(0)
    events = ["user_id,item_id,timestamp,action,rating"]
    for user in range(USERS):
        liked = [i for i in range(ITEMS) if i % 2 == user % 2]
        for step, item in enumerate(random.permutation(liked)[:14]):
            time_s = 1_600_000_000 + step * 86_400 + user
            events.append(f"u{user},i{item},{time_s},rate,{int(random.integers(1, 6))}")
    (directory / "interactions.csv").write_text("\n".join(events) + "\n")
    (directory / "users.csv").write_text("user_id,text\nu0,I like red.\nnew,Blue is best.\n")
    (directory / "dataset.json").write_text(json.dumps({"name": "two tastes", "repeat": repeat}))
    return directory


def write_places(directory: Path) -> Path:
    """Write a data set of places in one town, to which people return, each at their own hour."""
    directory.mkdir(parents=True)
    random = np.random.default_rng(0)
    lat, lon = 52.5 + random.normal(0, 0.02, ITEMS), 13.4 + random.normal(0, 0.03, ITEMS)
    items = ["item_id,title,categories,lat,lon,chain"]
    items += [
        f"i{i},{_colour(i)} thing {i},{_colour(i)},{lat[i]},{lon[i]},chain {i % 13}"
        for i in range(ITEMS)
    ]
    (directory / "items.csv").write_text("\n".join(items) + "\n")
    events = ["user_id,item_id,timestamp,action,utc_offset_minutes"]
    for user in range(USERS):
        # A café at eight and a bar at eight in the evening, and something else now and then.
        for day in range(5):
            other = int(random.integers(ITEMS))
            by_hour = {7: user % ITEMS, 13: other, 19: (3 * user + 1) % ITEMS}
            for hour, item in by_hour.items():
                time_s = 1_600_000_000 + day * 86_400 + hour * 3_600 + int(random.integers(1_800))
                events.append(f"u{user},i{item},{time_s},view,60")
    (directory / "interactions.csv").write_text("\n".join(events) + "\n")
    (directory / "dataset.json").write_text(json.dumps({"name": "places", "repeat": True}))
    return directory


def write_friends(dataset: Path) -> None:
    """Write for each user the next three as friends, and that four in five allow it."""
    shares = [f"u{user},{user % 5 != 4}" for user in range(USERS)]
    (dataset / "users.csv").write_text("\n".join(["user_id,friends_enabled", *shares]) + "\n")
    friends = [
        f"u{user},u{(user + step) % USERS},{4 - step}"
        for user in range(USERS)
        for step in (1, 2, 3)
    ]
    (dataset / "social.csv").write_text("\n".join(["user_id,friend_id,weight", *friends]) + "\n")


def write_small_encoder(directory: Path, config: PretrainedConfig | None = None) -> Path:
    """Write a language model with random weights as a Hugging Face directory."""
    directory.mkdir(parents=True)
    torch.manual_seed(0)
    AutoModel.from_config(config or bert_config()).save_pretrained(directory)
    words = ["[PAD]", "[UNK]", "red", "blue", "thing", "things", "i", "like", "is", "best"]
    tokenizer = Tokenizer(
        models.WordLevel({word: n for n, word in enumerate(words)}, unk_token="[UNK]")
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(directory / "tokenizer.json"))
    return directory


def train_two_tastes(
    directory: Path, *, repeat: bool = False, settings: TrainSettings = SETTINGS
) -> Path:
    """Train on the two tastes, texts encoded by words alone, and return the release directory."""
    dataset = write_two_tastes(directory / "dataset", repeat=repeat)
    return train_here(dataset, directory, settings=settings)


def train_places(
    directory: Path,
    *,
    settings: TrainSettings = SETTINGS,
    media: bool = False,
    friends: bool = False,
) -> Path:
    """Train on the places, texts encoded by words alone, and return the release directory.

    media: whether the places bring vectors along, as `write_media` writes them. friends: whether
    people have friends, as `write_friends` writes them.
    """
    dataset = write_places(directory / "dataset")
    if media:
        write_media(dataset)
    if friends:
        write_friends(dataset)
    return train_here(dataset, directory, settings=settings)


def write_media(dataset: Path) -> None:
    """Write two spaces for the items: one tells the number's rest by 4; in one, some have none."""
    random = np.random.default_rng(1)
    ids = [f"i{i}" for i in range(ITEMS)]
    images = np.eye(4)[np.arange(ITEMS) % 4] + random.normal(0, 0.2, (ITEMS, 4))
    sounds = random.normal(size=(ITEMS, 6))
    half = ITEMS // 2
    for name, some, space, vectors in (
        ("vectors.parquet", ids, "image", images),
        ("vectors-2.parquet", ids[:half], "sound", sounds[:half]),
    ):
        table = {"item_id": some, "space": [space] * len(some), "vector": list(vectors)}
        pq.write_table(pa.table(table), dataset / name)


def train_here(dataset: Path, directory: Path, *, settings: TrainSettings = SETTINGS) -> Path:
    """Train on a data set, texts encoded by words alone, and return the release directory."""
    encoder = write_small_encoder(directory / "encoder")
    with patch("training.run.encode_texts", encode_by_words):
        train(
            str(dataset),
            directory / "release",
            encoder_target="",
            encoder_directory=encoder,
            settings=settings,
            say=lambda _: None,
        )
    return directory / "release"


def encode_by_words(
    target: str, texts: Sequence[str], say: Say
) -> tuple[npt.NDArray[np.float32], str]:
    """Stand in for the encoder: a text's vector is the mean of its words' fixed random vectors."""
    return np.stack([_vector(text) for text in texts]), "words-1"


def _vector(text: str) -> npt.NDArray[np.float32]:
    total = np.zeros(WIDTH, np.float32)
    for word in text.lower().replace(".", " ").replace(",", " ").split():
        seed = int.from_bytes(blake2b(word.encode(), digest_size=4).digest())
        total += np.random.default_rng(seed).normal(size=WIDTH).astype(np.float32)
    return total / max(float(np.linalg.norm(total)), 1e-9)


def _colour(item: int) -> str:
    return "red" if item % 2 == 0 else "blue"
