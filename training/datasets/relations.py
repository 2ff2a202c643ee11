"""What is known of the relations between items and other things, checked: one row for each."""

import pandas as pd
import pyarrow as pa

from training.datasets import cells
from training.datasets.format import RELATION_COLUMNS
from training.datasets.report import CleaningReport, RejectLog
from training.datasets.rows import RowCheck
from training.datasets.tables import RawTable
from training.datasets.texts import repair


def clean_relations(
    table: RawTable, items: "pd.Series[str]", report: CleaningReport, log: RejectLog
) -> pd.DataFrame:
    """Return the relations as in `Dataset.relations`, each once.

    items: ids. Heads and tails are compared with them as they are written; texts of other things
    are repaired as those of items are.
    """
    table.require(*RELATION_COLUMNS)
    if ignored := [c for c in table.cells.column_names if c not in RELATION_COLUMNS]:
        report.ignored_columns[table.file.name] = tuple(ignored)
    rows = RowCheck(table)
    found = {name: rows.ids(name) for name in RELATION_COLUMNS}
    same = (
        cells.as_strings(rows.column("head")).to_pandas()
        == cells.as_strings(rows.column("tail")).to_pandas()
    )
    rows.reject(same.to_numpy(bool), "head and tail are the same")
    kept = rows.finish(report, log)
    known = set(items)
    columns = {}
    for name, ids in found.items():
        values = ids.values
        if name != "relation":
            repaired = repair(pa.array(values, pa.string()), cells.MAX_ID_BYTES, report).to_pylist()
            values = [a if a in known else b for a, b in zip(values, repaired, strict=True)]
        else:
            values = [value.strip() for value in values]
        columns[name] = pd.Series([values[c] for c in ids.codes[kept].tolist()], dtype="str")
    relations = pd.DataFrame(columns)
    # What is left of a name may be nothing, as of one that was all tags.
    relations = relations[(relations["head"] != "") & (relations["tail"] != "")]
    relations = relations.drop_duplicates(ignore_index=True)
    of_items = relations["head"].isin(known) | relations["tail"].isin(known)
    counts = f"{len(relations):,} distinct relations, {int(of_items.sum()):,} of items"
    report.notes.append(f"{table.file.name}: {counts}")
    return relations
