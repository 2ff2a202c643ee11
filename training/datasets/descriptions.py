"""Several texts about an item as its one description."""

from collections.abc import Mapping

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from training.datasets.report import CleaningReport
from training.datasets.texts import shorten

TEXT_PREFIX = "text:"


def merged(
    descriptions: "pd.Series[str]",
    texts: Mapping[str, pa.Array],
    max_bytes: int,
    report: CleaningReport,
) -> "pd.Series[str]":
    """Return the descriptions with further texts behind them, one to a line.

    texts: repaired texts by column, `text:NAME`. Each that is not empty follows as `Name: text`,
    in the order given; an empty description leaves no line. So the first texts are those that
    an encoder with a short window reads.
    """
    if not texts:
        return descriptions
    lines = [_line("", pa.array(descriptions, type=pa.string()))]
    for column, values in texts.items():
        name = column.removeprefix(TEXT_PREFIX).strip().replace("_", " ")
        lines.append(_line(f"{name[:1].upper()}{name[1:]}: " if name else "", values))
    joined = pc.utf8_slice_codeunits(pc.binary_join_element_wise(*lines, ""), 1).to_pylist()
    for position, text in enumerate(joined):
        if len(text.encode()) > max_bytes:
            joined[position] = shorten(text, max_bytes)
            report.texts_shortened += 1
    return pd.Series(joined, dtype="str")


def _line(label: str, texts: pa.Array) -> pa.Array:
    """Return each text on a line of its own, and nothing for an empty one."""
    labelled = pc.binary_join_element_wise(f"\n{label}", texts, "")
    return pc.if_else(pc.equal(texts, ""), "", labelled)
