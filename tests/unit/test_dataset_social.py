from pathlib import Path

import pytest

from features.friends import FRIENDS_KEPT
from tandem.v1.user_pb2 import Friend
from training.datasets import DatasetError, fingerprint, open_dataset
from training.datasets.format import Dataset
from training.datasets.protos import friends_of, profiles_of

HEADER = "user_id,friend_id,weight\n"
ROWS = "ann,bob,2\nann,cat,\nbob,ann,0.5\nann,dan,7\n"
USERS = "user_id,friends_enabled\nann,true\nbob,yes\ncat,\ndan,0\n"


def read(directory: Path, social: str | None = HEADER + ROWS, users: str = USERS) -> Dataset:
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "items.csv").write_text("item_id,title\na,Alpha\nb,Beta\n")
    (directory / "interactions.csv").write_text("user_id,item_id,timestamp\nann,a,1700000001\n")
    (directory / "users.csv").write_text(users)
    if social is not None:
        (directory / "social.csv").write_text(social)
    return open_dataset(str(directory), rejects=None)


def told(data: Dataset) -> list[tuple[str, str, float]]:
    ids = data.users["user_id"].tolist()
    rows = data.social.itertuples(index=False)
    return [(ids[row.user_id], ids[row.friend_id], row.weight) for row in rows]


def test_friends_come_by_user_with_the_greatest_weight_first(tmp_path: Path) -> None:
    data = read(tmp_path)
    assert told(data) == [
        ("ann", "dan", 7.0),
        ("ann", "bob", 2.0),
        ("ann", "cat", 1.0),
        ("bob", "ann", 0.5),
    ]
    assert data.users["friends_enabled"].tolist() == [True, True, False, False]
    assert "friends of 2 users: 4, of which 2 where both have friends_enabled" in str(data.report)


def test_of_a_friend_who_is_named_twice_the_last_row_wins(tmp_path: Path) -> None:
    data = read(tmp_path, HEADER + ROWS + "ann,bob,9\n")
    assert told(data)[0] == ("ann", "bob", 9.0)
    assert len(data.social) == 4
    assert "social.csv: 1 rows replaced" in str(data.report)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",bob,1\n", "user_id is missing"),
        ("ann, ,1\n", "friend_id is missing"),
        ("ann,ann,1\n", "user_id and friend_id are the same"),
        ("ann,eve,1\n", "friend_id names a user of whom nothing else is known"),
        ("eve,ann,1\n", "user_id names a user of whom nothing else is known"),
        ("bob,cat,much\n", "weight is not a finite number"),
        ("bob,cat,-1\n", "weight is out of range"),
        ("bob,cat,0\n", "weight is 0"),
        ("bob,cat,1e7\n", "weight is out of range"),
        ("bob,cat\n", "2 cells"),
    ],
)
def test_a_bad_row_is_refused_with_its_reason(tmp_path: Path, row: str, reason: str) -> None:
    data = read(tmp_path / "some", HEADER + ROWS + row)
    assert len(data.social) == 4
    assert data.report.rejected == 1
    with pytest.raises(DatasetError, match=rf"social\.csv.*row 2.*({reason})"):
        read(tmp_path / "only", HEADER + row)


def test_weights_are_optional_and_columns_are_named(tmp_path: Path) -> None:
    data = read(tmp_path / "x", "user_id,friend_id,since\nann,bob,2020\n")
    assert told(data) == [("ann", "bob", 1.0)]
    assert data.report.ignored_columns["social.csv"] == ("since",)
    with pytest.raises(DatasetError, match=r"social\.csv.*friend_id.*missing"):
        read(tmp_path / "y", "user_id,weight\nann,2\n")


def test_of_too_many_friends_the_closest_stay(tmp_path: Path) -> None:
    count = FRIENDS_KEPT + 3
    users = "user_id\nann\n" + "".join(f"f{n}\n" for n in range(count))
    social = HEADER + "".join(f"ann,f{n},{n + 1}\n" for n in range(count))
    data = read(tmp_path, social, users)
    assert [friend for _, friend, _ in told(data)] == [f"f{n}" for n in range(count - 1, 2, -1)]
    assert "3 rows are beyond them" in str(data.report)


def test_without_friends_the_fingerprint_is_as_it_was(tmp_path: Path) -> None:
    plain = fingerprint(read(tmp_path / "a", None, "user_id\nann\nbob\n"))
    nobody = "user_id,friends_enabled\nann,false\nbob,\n"
    assert fingerprint(read(tmp_path / "b", None, nobody)) == plain
    others = [
        read(tmp_path / "c", None),
        read(tmp_path / "d"),
        read(tmp_path / "e", HEADER + ROWS.replace("ann,dan,7", "ann,dan,8")),
    ]
    assert len({plain, *map(fingerprint, others)}) == 4


def test_friends_and_consent_become_messages(tmp_path: Path) -> None:
    data = read(tmp_path)
    assert dict(friends_of(data)) == {
        "ann": [Friend(user_id=i, weight=w) for i, w in (("dan", 7), ("bob", 2), ("cat", 1))],
        "bob": [Friend(user_id="ann", weight=0.5)],
    }
    assert {user_id for user_id, profile in profiles_of(data) if profile.friends_enabled} == {
        "ann",
        "bob",
    }
    assert dict(friends_of(read(tmp_path / "none", None))) == {}


def test_a_bad_consent_is_refused(tmp_path: Path) -> None:
    data = read(tmp_path, None, USERS + "eve,perhaps\n")
    assert data.report.rows_rejected["users.csv", "friends_enabled is neither true nor false"] == 1
