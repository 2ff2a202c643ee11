"""Giving memory back to the system between the steps of a training run."""

import ctypes
import sys


def give_back() -> None:
    """Return what was freed to the system, where the C library keeps it.

    Tensors of ever other sizes leave holes that glibc keeps: without this a run holds gigabytes
    more than it uses.
    """
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
