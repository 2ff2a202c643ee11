from pathlib import Path

import pytest

from tandem_cli.dataset_spec import cleaning_of
from tandem_cli.failure import CommandFailed
from training.datasets import Cleaning, Dataset, DatasetError, fingerprint, open_dataset

START = 1_700_000_000
NOW_MS = 1_000 * (START + 30 * 86_400)
HEADER = "user_id,item_id,timestamp,action\n"
# Two people, an hour and more apart.
PEOPLE = "".join(
    f"{user},i{number},{START + 4_000 * number + offset},click\n"
    for number in range(6)
    for user, offset in (("ann", 11), ("ben", 17))
)


def opened(
    directory: Path, rows: str, cleaning: Cleaning | None = None, items: str | None = None
) -> Dataset:
    (directory / "interactions.csv").write_text(rows)
    (directory / "items.csv").write_text(items or "item_id,title\ni0,First\n")
    return open_dataset(str(directory), rejects=None, cleaning=cleaning, now_ms=NOW_MS)


def bot(step: float, count: int) -> str:
    return "".join(f"bot,i{n % 7},{START + n * step:.1f},click\n" for n in range(count))


@pytest.mark.parametrize(
    ("step", "count", "is_bot"),
    [
        (0.5, 101, True),
        (0.5, 100, False),
        (3.0, 1_001, True),
        (3.6, 1_100, False),
        (17.0, 5_001, True),
    ],
)
def test_users_faster_than_people_are_reported_and_stay(
    tmp_path: Path, step: float, count: int, is_bot: bool
) -> None:
    data = opened(tmp_path, HEADER + PEOPLE + bot(step, count))

    assert data.report.bot_like_users == int(is_bot)
    assert data.report.bot_like_events == count * is_bot
    assert ("1 bot-like users" in str(data.report)) == is_bot
    assert len(data.interactions) == 12 + count


def test_bots_go_when_asked_and_with_them_what_only_they_named(tmp_path: Path) -> None:
    data = opened(tmp_path, HEADER + PEOPLE + bot(0.5, 200), Cleaning(drop_bots=True))

    assert data.users["user_id"].tolist() == ["ann", "ben"]
    assert "i6" not in data.items["item_id"].tolist()
    assert len(data.interactions) == 12
    assert data.report.removed == {"interactions of bot-like users": 200}


def test_pages_of_impressions_make_no_bot(tmp_path: Path) -> None:
    rows = HEADER + PEOPLE + bot(0.0, 500).replace("click", "impression")

    report = opened(tmp_path, rows).report

    assert (report.bot_like_users, report.impossible_times.total()) == (0, 0)


IMPOSSIBLE = f"ann,i0,{START + 60 * 86_400},click\nann,late,{START},click\nben,i0,0,click\n"


def test_impossible_times_are_counted_by_what_speaks_against_them(tmp_path: Path) -> None:
    at_once = "".join(f"one,i{n},{START + 5},click\n" for n in range(5))
    items = f"item_id,title,created_at\nlate,Late,{START + 10 * 86_400}\ni0,First,{START + 60}\n"
    rows = HEADER + PEOPLE + IMPOSSIBLE + at_once

    kept = opened(tmp_path, rows, items=items)
    asked = opened(tmp_path, rows, Cleaning(drop_impossible_times=True), items)

    assert kept.report.impossible_times == {
        "later than now": 1,
        "before the item existed": 2,
        "on 1 January 1970, as unknown times often are": 1,
        "of users with 5 events or more, all within one second": 5,
    }
    assert len(kept.interactions) == 20
    assert len(asked.interactions) == 12
    assert asked.report.removed == {"interactions at impossible times": 8}
    assert asked.items["item_id"].tolist()[:2] == ["late", "i0"]


def test_dates_are_no_instant_and_no_minute(tmp_path: Path) -> None:
    day = START // 86_400 * 86_400
    rows = "".join(f"ann,i{n},{day},click\nben,i{n},{day - 86_400 * n},click\n" for n in range(150))

    report = opened(tmp_path, HEADER + rows).report

    assert report.times_are_dates
    assert (report.bot_like_users, report.impossible_times.total()) == (0, 0)
    assert "times are dates" in str(report)


def test_counted_times_are_not_taken_for_unknown_ones(tmp_path: Path) -> None:
    rows = "".join(f"ann,i{n},{n},click\n" for n in range(4))

    assert opened(tmp_path, HEADER + rows).report.impossible_times.total() == 0


def test_the_core_is_off_by_default_and_leaves_nothing_loose(tmp_path: Path) -> None:
    rows = (
        "a,x,1,click\na,y,2,click\nb,x,3,click\nb,y,4,click\n"
        "c,x,5,click\nc,z,6,click\nd,z,7,impression\na,x,8,impression\n"
    )
    items = "item_id,title\nx,X\ny,Y\nz,Z\nunused,U\n"

    whole = opened(tmp_path, HEADER + rows, items=items)
    core = opened(tmp_path, HEADER + rows, Cleaning(k_core=2), items)

    assert len(whole.interactions) == 8
    assert core.interactions["user_id"].tolist() == ["a", "a", "b", "b", "a"]
    assert core.items["item_id"].tolist() == ["x", "y"]
    assert core.users["user_id"].tolist() == ["a", "b"]
    assert core.item_rows.tolist() == [0, 1, 0, 1, 0]
    assert core.report.removed == {"interactions outside the 2-core": 3}
    assert fingerprint(core) != fingerprint(whole)


def test_a_core_of_nobody_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="nothing is left after Cleaning"):
        opened(tmp_path, HEADER + PEOPLE, Cleaning(k_core=50))


def test_asking_changes_nothing_where_nothing_is_found(tmp_path: Path) -> None:
    plain = opened(tmp_path, HEADER + PEOPLE)
    asked = opened(tmp_path, HEADER + PEOPLE, Cleaning(True, True, 1))

    assert fingerprint(asked) == fingerprint(plain)


def test_a_label_is_kept_and_never_makes_an_action(tmp_path: Path) -> None:
    rows = (
        "user_id,item_id,timestamp,action,rating,label,split\n"
        "u,a,1,,,1,train\nu,b,2,,,0,test\nu,c,3,impression,,0,test\nu,d,4,,4,1,test\nu,e,5,,,,\n"
    )

    data = opened(tmp_path, rows)

    assert data.interactions["label"].tolist()[:4] == [1.0, 0.0, 0.0, 1.0]
    assert data.interactions["label"].isna().tolist() == [False] * 4 + [True]
    assert data.interactions["action"].tolist() == ["view", "view", "impression", "rate", "view"]
    assert data.interactions["split"].tolist() == ["train", "test", "test", "test", ""]
    assert data.report.labels_without_action == 2
    assert "2 interactions with a label but neither action nor rating" in str(data.report)


def test_the_command_line_asks_by_words() -> None:
    assert cleaning_of([]) == Cleaning()
    assert cleaning_of(["drop_bots", "k_core=5"]) == Cleaning(drop_bots=True, k_core=5)
    for word in ("bots", "k_core", "k_core=-1", "k_core=five", "drop_bots=true"):
        with pytest.raises(CommandFailed, match="--clean"):
            cleaning_of([word])
    for words in ([], ["drop_impossible_times"], ["drop_bots", "k_core=5"]):
        assert cleaning_of(words).words() == words
    with pytest.raises(ValueError, match="k_core is -1"):
        Cleaning(k_core=-1)
