"""The images of a data set as vectors of one space."""

import asyncio
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from serving.image_encoder import ImageEncoder
from tandem_cli.console import Counter, say
from tandem_cli.failure import CommandFailed

TABLE = "images.csv"
# Read at once; what is larger than an image may be is no image.
AT_ONCE = 64
FILE_BYTES_MOST = 16 * 1024 * 1024
TIMEOUT_S = 600.0
Float32 = npt.NDArray[np.float32]


def encode_images(dataset: Path, space: str, target: str) -> Path:
    """Write `vectors-<space>.parquet` into a data set, of what its images.csv names.

    target: host:port of a Triton that serves image_encoder. Of an item with several images it has
    the mean direction. Raises CommandFailed.
    """
    listed = read_table(dataset)
    sums: dict[str, Float32] = {}
    unreadable = 0
    rows = list(zip(listed["item_id"], listed["file"], strict=True))
    with Counter("images", len(rows)) as counter:
        for item_id, vector in asyncio.run(_vectors(dataset, rows, target, counter)):
            if vector is None:
                unreadable += 1
            else:
                sums[item_id] = sums.get(item_id, np.float32(0.0)) + vector
    if unreadable:
        say(f"{unreadable:,} of {len(rows):,} images are not there or cannot be read")
    if not sums:
        raise CommandFailed(f"{dataset / TABLE}: none of its images can be read")
    vectors = np.stack([total / np.linalg.norm(total) for total in sums.values()])
    out = dataset / f"vectors-{space}.parquet"
    column = pa.FixedSizeListArray.from_arrays(vectors.ravel(), vectors.shape[1])
    table = pa.table({"item_id": list(sums), "space": [space] * len(sums), "vector": column})
    draft = out.with_suffix(".tmp")
    pq.write_table(table, draft)
    draft.rename(out)
    return out


def read_table(dataset: Path) -> pd.DataFrame:
    """Return images.csv: item_id and file, as texts. Raises CommandFailed."""
    file = dataset / TABLE
    try:
        table = pd.read_csv(file, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise CommandFailed(f"{file}: {error}") from error
    if missing := {"item_id", "file"} - set(table.columns):
        raise CommandFailed(f"{file}: there is no column {', '.join(sorted(missing))}")
    return table[["item_id", "file"]].drop_duplicates()


async def _vectors(
    dataset: Path, rows: list[tuple[str, str]], target: str, counter: Counter
) -> list[tuple[str, Float32 | None]]:
    """Return each row's item id and the unit vector of its image, None where it has none."""
    found: list[tuple[str, Float32 | None]] = []
    encoder = ImageEncoder(target)
    pending: Iterator[tuple[str, str]] = iter(rows)
    try:
        while some := list(islice(pending, AT_ONCE)):
            images = [_read(dataset, name) for _, name in some]
            vectors, usable = await encoder.encode(images, timeout=TIMEOUT_S)
            found += [
                (item_id, vector if is_one else None)
                for (item_id, _), vector, is_one in zip(some, vectors, usable, strict=True)
            ]
            counter.advance(len(some))
    finally:
        await encoder.close()
    return found


def _read(dataset: Path, name: str) -> bytes:
    """Return a file's bytes, none where it is not there, too large, or outside of the data set."""
    root = dataset.resolve()
    file = (root / name).resolve()
    if not file.is_relative_to(root) or not file.is_file():
        return b""
    return file.read_bytes() if file.stat().st_size <= FILE_BYTES_MOST else b""
