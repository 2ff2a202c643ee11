"""Do words find what they mean, in Chinese? Videos by the names of categories and by each other.

    .venv/bin/python -m benchmarks.chinese_words --captions kuairec_caption_category.csv

The captions of KuaiRec (Gao et al., CIKM 2022; CC BY-SA 4.0): texts, topic tags and a tree of
categories of 10,732 short videos. The index holds caption, cover text and tags, never a category.
Asked are the names of second-level categories, and the captions of videos, each without itself.
Measured: the share of the first ten that are of the category, against the share that chance has.
The lexical source is what the service asks; tag matching counts the tags that words name.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.environment import describe, write_result
from features.neighbours import best_rows
from features.vocabulary import Vocabulary
from features.word_index import index_texts

FIRST = 10
VIDEOS_LEAST = 20
CAPTIONS = 1_000
CAPTION_LEAST = 4
RESAMPLES = 2_000
UNKNOWN = "UNKNOWN"

Float32 = npt.NDArray[np.float32]
Scores = Callable[[str], Float32]


@dataclass(frozen=True)
class Videos:
    """texts: caption, cover text and tags. category: of the second level, "" where unknown."""

    captions: list[str]
    texts: list[str]
    tags: list[list[str]]
    category: npt.NDArray[np.object_]


@dataclass(frozen=True)
class Query:
    """Words, the category that is wanted, and the video that must not be found, -1 for none."""

    words: str
    category: str
    itself: int = -1


def read_videos(file: Path) -> Videos:
    """Read KuaiRec's table of captions and categories."""
    frame = pd.read_csv(file, dtype=str, keep_default_na=False).replace(UNKNOWN, "")
    tags = [[t for t in text.strip("[]").split(",") if t] for text in frame.topic_tag]
    texts = [
        " ".join((caption, cover, *own))
        for caption, cover, own in zip(frame.caption, frame.manual_cover_text, tags, strict=True)
    ]
    category = frame.second_level_category_name.to_numpy(object)
    return Videos(frame.caption.tolist(), texts, tags, category)


def tag_scores(videos: Videos) -> Scores:
    """Return what counts, for each video, the tags that words name or that name them."""
    counts: dict[str, int] = {}
    for own in videos.tags:
        for tag in own:
            counts[tag] = counts.get(tag, 0) + 1
    vocabulary = Vocabulary(counts, len(videos.texts))

    def scores(words: str) -> Float32:
        named = {*vocabulary.named(words), *vocabulary.ruled_out(words)}
        return np.array([len(named.intersection(own)) for own in videos.tags], np.float32)

    return scores


def shares(videos: Videos, scores: Scores, queries: Sequence[Query]) -> npt.NDArray[np.float64]:
    """Return for each query the share of the first ten that are of its category."""
    found = []
    for query in queries:
        values = scores(query.words)
        if query.itself >= 0:
            values[query.itself] = 0.0
        rows, _ = best_rows(values, FIRST)
        found.append((videos.category[rows] == query.category).sum() / FIRST)
    return np.array(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--captions", type=Path, required=True)
    videos = read_videos(parser.parse_args().captions)
    names, counts = np.unique(videos.category[videos.category != ""], return_counts=True)
    usual = dict(zip(names, counts / len(videos.texts), strict=True))
    random = np.random.default_rng(0)
    long = np.array([len(caption) > CAPTION_LEAST for caption in videos.captions])
    told = np.flatnonzero(long & (videos.category != ""))
    drawn = random.choice(told, CAPTIONS, replace=False).tolist()
    queries = {
        "category names": [
            Query(n, n) for n, c in zip(names, counts, strict=True) if c >= VIDEOS_LEAST
        ],
        "captions": [Query(videos.captions[row], videos.category[row], row) for row in drawn],
    }
    systems = {"lexical": index_texts(videos.texts).scores, "tags": tag_scores(videos)}
    result: dict[str, object] = dict(describe())
    for asked, some in queries.items():
        chance = np.array([usual[query.category] for query in some])
        for name, scores in systems.items():
            found = shares(videos, scores, some)
            picks = random.integers(0, len(some), (RESAMPLES, len(some)))
            ratios = found[picks].mean(axis=1) / chance[picks].mean(axis=1)
            low, high = np.percentile(ratios, (2.5, 97.5))
            times = found.mean() / chance.mean()
            print(
                f"{name}, {len(some)} {asked}: {found.mean():.3f} of the first {FIRST} are of the "
                f"category, by chance {chance.mean():.3f}: {times:.1f} times "
                f"[{low:.1f}, {high:.1f}]"
            )
            result[f"{name}, {asked}"] = {
                "queries": len(some),
                "precision@10": found.mean(),
                "chance": chance.mean(),
                "times_chance": times,
                "ci95": [low, high],
            }
    write_result("chinese_words", result)


if __name__ == "__main__":
    main()
