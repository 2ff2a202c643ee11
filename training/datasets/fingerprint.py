"""One hash of all that a data set holds."""

import json
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from training.datasets.format import Dataset

if TYPE_CHECKING:
    from hashlib import _Hash

VERSION = b"tandem-dataset-1"


def fingerprint(dataset: Dataset) -> str:
    """Return the SHA-256, in hexadecimal, of a data set's canonical content.

    It covers every row of interactions, items, users, impressions, relations, friends and vectors
    in order, and `repeat`; neither the name nor whether the files were CSV or Parquet changes it.
    """
    digest = sha256(VERSION)
    digest.update(b"repeat" if dataset.repeat else b"once")
    users = dataset.users
    # Data sets without any of what was added later keep the fingerprint that they had.
    if not users["friends_enabled"].any():
        users = users.drop(columns="friends_enabled")
    frames = [dataset.items, users, dataset.interactions]
    added = (dataset.impressions, dataset.relations, dataset.social)
    frames += [frame for frame in added if len(frame)]
    for frame in frames:
        digest.update(f"|{len(frame)}".encode())
        for name in sorted(frame.columns):
            digest.update(f"|{name}|".encode())
            _add(digest, frame[name])
    for space, vectors in dataset.vectors.items():
        digest.update(f"|{space}|{vectors.shape[1]}|".encode())
        digest.update(np.ascontiguousarray(vectors, "<f2").tobytes())
    return digest.hexdigest()


def _add(digest: "_Hash", column: "pd.Series[Any]") -> None:
    if isinstance(column.dtype, pd.CategoricalDtype):
        # The ids behind the codes are the first columns of items and users.
        digest.update(column.cat.codes.to_numpy(dtype="<i4").tobytes())
    elif column.dtype.kind == "f":
        # Adding zero makes one zero of two; one NaN stands for all.
        values = column.to_numpy(dtype="<f8") + 0.0
        digest.update(np.where(np.isnan(values), np.nan, values).tobytes())
    elif column.dtype.kind in "ib":
        digest.update(column.to_numpy(dtype="<i8").tobytes())
    elif column.dtype == object:
        for value in column:
            digest.update(json.dumps(value, sort_keys=True, ensure_ascii=False).encode() + b"\n")
    else:
        texts = column.tolist()
        digest.update(np.array([len(text) for text in texts], dtype="<i8").tobytes())
        digest.update("".join(texts).encode())
