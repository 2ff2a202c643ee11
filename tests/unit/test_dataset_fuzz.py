import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from training.datasets import DatasetError, open_dataset

FILES = {
    "dir": {
        "interactions.csv": b"user_id,item_id,timestamp,rating\nu,a,1700000000,4\nv,b,2,\n",
        "items.csv": b"item_id,title,tags\na,Alpha,x|y\nb,Beta,\n",
    },
    "recbole": {
        "x.inter": b"user_id:token\titem_id:token\ttimestamp:float\nu\ta\t1700000000\nv\tb\t2\n",
        "x.item": b"item_id:token\ttitle:token_seq\tgenre:token_seq\na\tAlpha\tx y\nb\tBeta\t\n",
        "x.user": b"user_id:token\tage:token\tgender:token\nu\t24\tM\n",
    },
    "movielens": {
        "ratings.csv": b"userId,movieId,rating,timestamp\n1,10,4.0,964982703\n2,20,2,964982704\n",
        "movies.csv": b"movieId,title,genres\n10,Heat (1995),Action|Crime\n20,Up,Drama\n",
        "tags.csv": b"userId,movieId,tag,timestamp\n1,10,tense,1\n",
        "genome-tags.csv": b"tagId,tag\n1,noir\n",
        "genome-scores.csv": b"movieId,tagId,relevance\n10,1,0.9\n",
    },
}
PIECES = st.one_of(
    st.binary(max_size=12),
    st.sampled_from(
        [
            b'"',
            b"\t",
            b",",
            b"\n",
            b"\r\n",
            b"\x00",
            b"\xff",
            b"::",
            b"|",
            b":token",
            b"nan",
            b"1e999",
        ]
    ),
)


@pytest.mark.parametrize("kind", FILES)
@settings(max_examples=40, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_damaged_files_are_read_or_refused_with_a_name(kind: str, data: st.DataObject) -> None:
    directory = Path(tempfile.mkdtemp())
    try:
        files = FILES[kind]
        for name, content in files.items():
            (directory / name).write_bytes(content)
        name = data.draw(st.sampled_from(sorted(files)))
        content = files[name]
        start = data.draw(st.integers(0, len(content)))
        end = data.draw(st.integers(start, min(len(content), start + 20)))
        piece = b"".join(data.draw(st.lists(PIECES, max_size=4)))
        (directory / name).write_bytes(content[:start] + piece + content[end:])

        refusal = None
        try:
            dataset = open_dataset(f"{kind}:{directory}", rejects=directory / "rejects.csv")
        except DatasetError as error:
            refusal = str(error)
        assert (directory / "rejects.csv").exists() == (refusal is None)
        if refusal is not None:
            assert str(directory) in refusal
        else:
            assert dataset.item_rows.min(initial=0) >= 0
            assert dataset.user_rows.max(initial=-1) < len(dataset.users)
            assert str(dataset.report)
    finally:
        shutil.rmtree(directory)
