"""Imported first, it lets `models` be imported where what reads releases is not installed.

A machine that is lent for its GPU may have torch and transformers and little else. The packages
named here are imported by `features`, but only used to read a release or to search words.
"""

import sys
from importlib.util import find_spec
from types import ModuleType


class _Absent(ModuleType):
    """Stands for a package of which only names are asked, for annotations."""

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        return object


def _stand_in(name: str, *parts: str) -> None:
    if name in sys.modules or find_spec(name) is not None:
        return
    sys.modules[name] = absent = _Absent(name)
    for part in parts:
        sys.modules[f"{name}.{part}"] = child = _Absent(f"{name}.{part}")
        setattr(absent, part, child)


_stand_in("bm25s")
_stand_in("jieba")
_stand_in("pyarrow", "parquet")
_stand_in("grpc")
