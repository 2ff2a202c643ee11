"""Tags of films: what users of MovieLens wrote, and the tag genome."""

import re
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from training.datasets import cells
from training.datasets.csv_files import read_csv_blocks
from training.datasets.errors import DatasetError
from training.datasets.files import find_table, need_file, read_table
from training.datasets.tables import RaggedRow, RawTable

Rejects = tuple[tuple[str, RaggedRow], ...]
MAX_ITEM_TAGS = 20
MAX_GENOME_TAGS = 10
MIN_RELEVANCE = 0.7
MAX_TAG_CHARACTERS = 40
# A file with more rows that cannot be used is another kind of file.
MAX_BAD_SCORES = 100_000
TAG_COLUMNS = ("userId", "movieId", "tag")


def user_tags(table: RawTable) -> tuple[dict[str, list[str]], Rejects]:
    """Return the tags by item: those of most users first, then by the alphabet."""
    table.require(*TAG_COLUMNS)
    frame = pd.DataFrame(
        {name: cells.as_strings(table.cells.column(name)).to_pandas() for name in TAG_COLUMNS}
    )
    tags = frame["tag"].astype("str").str.replace("|", " ").str.lower()
    frame["tag"] = tags.str.replace(re.compile(r"\s+"), " ", regex=True).str.strip()
    frame["row"] = table.rows
    usable = (frame[list(TAG_COLUMNS)] != "").all(axis=1)
    bad = [
        RaggedRow(row, "userId, movieId or tag is missing", f"{user},{item},{tag}")
        for user, item, tag, row in frame[~usable].itertuples(index=False)
    ]
    # Long ones are remarks rather than tags.
    usable &= frame["tag"].str.len() <= MAX_TAG_CHARACTERS
    counts = frame[usable].groupby(["movieId", "tag"])["userId"].nunique().reset_index()
    counts = counts.sort_values(["movieId", "userId", "tag"], ascending=[True, False, True])
    joined = counts.groupby("movieId")["tag"].agg(lambda tags: list(tags[:MAX_ITEM_TAGS]))
    rejects = tuple((table.file.name, row) for row in [*table.ragged, *bad])
    return dict(zip(joined.index.tolist(), joined.tolist(), strict=True)), rejects


def genome_files(directory: Path) -> tuple[Path, Path] | None:
    """Return the files of scores and of tags; None where there are no scores."""
    scores = directory / "genome-scores.csv"
    if not scores.exists():
        return None
    tags = find_table(directory, "genome-tags")
    return need_file(scores), tags or need_file(directory / "genome-tags.csv")


def genome_tags(score_file: Path, tag_file: Path) -> tuple[dict[str, list[str]], Rejects]:
    """Return the tags by item whose relevance is at least MIN_RELEVANCE, the strongest first.

    The genome is the relevance of each tag to each film, 0 to 1, learnt by its authors from
    tags, ratings and reviews (J. Vig, S. Sen, J. Riedl, The Tag Genome, ACM TiiS 2(3), 2012). Its
    file has more rows than some data sets have ratings, so it is read block by block.
    """
    names = read_table(tag_file).rename({"tagId": "tagId", "tag": "tag"}).cells
    ids, tags = (cells.as_strings(names.column(name)).to_pylist() for name in ("tagId", "tag"))
    words = {
        tag_id: " ".join(tag.lower().replace("|", " ").split())
        for tag_id, tag in zip(ids, tags, strict=True)
    }
    parts: list[pd.DataFrame] = []
    bad: list[RaggedRow] = []
    for block in read_csv_blocks(score_file):
        block.require("movieId", "tagId", "relevance")
        relevance, wrong = cells.numbers(block.cells.column("relevance"))
        wrong |= ~((relevance >= 0.0) & (relevance <= 1.0))
        bad += [*block.ragged, *_unscored(block, np.flatnonzero(wrong))]
        if len(bad) > MAX_BAD_SCORES:
            problem = (
                f"more than {MAX_BAD_SCORES:,} rows cannot be used; the first: {bad[0].reason}"
            )
            raise DatasetError(score_file, problem, row=bad[0].row)
        strong = pa.array(~wrong & (relevance >= MIN_RELEVANCE))
        movies, tag_ids = (
            cells.as_strings(block.cells.column(name).filter(strong)).to_pandas()
            for name in ("movieId", "tagId")
        )
        kept = relevance[strong.to_numpy(zero_copy_only=False)]
        parts.append(
            pd.DataFrame({"movieId": movies, "tag": tag_ids.map(words), "relevance": kept})
        )
    if not parts:
        return {}, ()
    frame = pd.concat(parts, ignore_index=True)
    if frame["tag"].isna().any():
        raise DatasetError(score_file, f"names a tag that {tag_file.name} lacks", column="tagId")
    frame = frame.sort_values(["movieId", "relevance", "tag"], ascending=[True, False, True])
    strongest = frame.groupby("movieId")["tag"].agg(lambda tags: list(tags[:MAX_GENOME_TAGS]))
    rejects = tuple((score_file.name, row) for row in bad)
    return dict(zip(strongest.index.tolist(), strongest.tolist(), strict=True)), rejects


def merged_tags(
    typical: dict[str, list[str]], written: dict[str, list[str]]
) -> dict[str, list[str]]:
    """Return by item the typical tags and then the written ones, at most MAX_ITEM_TAGS in all."""
    merged = dict(written)
    for item, tags in typical.items():
        merged[item] = list(dict.fromkeys([*tags, *written.get(item, [])]))[:MAX_ITEM_TAGS]
    return merged


def _unscored(block: RawTable, positions: npt.NDArray[np.intp]) -> list[RaggedRow]:
    told = positions[: MAX_BAD_SCORES + 1]
    rows = block.cells.take(pa.array(told)).to_pylist()
    return [
        RaggedRow(int(row), "relevance is no number from 0 to 1", ",".join(map(str, cell.values())))
        for row, cell in zip(block.rows[told], rows, strict=True)
    ]
