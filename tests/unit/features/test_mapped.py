"""Mapped arrays are what was written, whatever their type, and nobody changes them."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from features.mapped import map_array, map_tensors

ARRAYS = {
    "matrix": np.arange(6, dtype=np.float32).reshape(2, 3),
    "half": np.array([0.5, -2.0], np.float16),
    "long": np.array([-1, 1 << 40], np.int64),
    "rows": np.array([[-1]], np.int32),
    "flags": np.array([1, 0, 1], np.uint8),
    "scalar": np.array(2.5, np.float32),
    "nothing": np.zeros((0, 4), np.float32),
}


def test_tensors_are_mapped_as_they_were_saved(tmp_path: Path) -> None:
    save_file(ARRAYS, tmp_path / "some.safetensors")

    found = map_tensors(tmp_path / "some.safetensors")

    assert found.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)
        assert type(found[name]) is np.ndarray
        assert not found[name].flags.writeable
        assert found[name].flags.aligned


def test_a_cut_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "some.safetensors"
    save_file(ARRAYS, file)
    file.write_bytes(file.read_bytes()[:-4])

    with pytest.raises(ValueError, match="cut short"):
        map_tensors(file)


def test_a_type_that_nobody_writes_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "some.safetensors"
    save_file({"signed": np.zeros(2, np.int8)}, file)

    with pytest.raises(ValueError, match="I8"):
        map_tensors(file)


def test_an_array_is_mapped_as_it_was_saved(tmp_path: Path) -> None:
    np.save(tmp_path / "one.npy", ARRAYS["matrix"])

    found = map_array(tmp_path / "one.npy")

    np.testing.assert_array_equal(found, ARRAYS["matrix"])
    assert type(found) is np.ndarray
    assert not found.flags.writeable
