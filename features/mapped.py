"""Arrays of a release's files, mapped rather than read: pages come when they are touched.

Processes that map the same release share its pages, and the system may take back what is not used.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

# Of safetensors: 8 bytes with the length of the header, the header as JSON, then the arrays.
LENGTH_BYTES = 8
DTYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "I64": "<i8",
    "I32": "<i4",
    "U8": "|u1",
    "BOOL": "|b1",
}


def map_array(path: Path) -> npt.NDArray[Any]:
    """Return the array of an .npy file, read-only. Raises ValueError if it is none."""
    # As a plain array: each slice of a `memmap` would look anew whether it still is one.
    return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))


def map_tensors(path: Path) -> dict[str, npt.NDArray[Any]]:
    """Return the arrays of a safetensors file by name, read-only.

    Raises ValueError where the file is cut short or holds other types than releases do.
    """
    with path.open("rb") as file:
        length = int.from_bytes(file.read(LENGTH_BYTES), "little")
        header = json.loads(file.read(length))
    content = np.asarray(np.memmap(path, np.uint8, "r", offset=LENGTH_BYTES + length))
    header.pop("__metadata__", None)
    return {name: _array(content, about) for name, about in header.items()}


def _array(content: npt.NDArray[np.uint8], about: dict[str, Any]) -> npt.NDArray[Any]:
    if about["dtype"] not in DTYPES:
        raise ValueError(f"arrays of {about['dtype']} are not read")
    start, end = about["data_offsets"]
    if end > len(content):
        raise ValueError("the file is cut short")
    return content[start:end].view(DTYPES[about["dtype"]]).reshape(about["shape"])
