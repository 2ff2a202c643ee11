import re
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from sample_world import DOMAINS, Truth, WorldError, read_truth, write_world
from sample_world.rhythms import hour_of_week, opening_mask
from training.datasets import Dataset, open_dataset

DAY_MS = 86_400_000
HOUR_MS = 3_600_000


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("worlds") / "mixed"
    write_world(out, domain="mixed", items=600, users=400, seed=7)
    return out


@pytest.fixture(scope="module")
def data(world: Path) -> Dataset:
    return open_dataset(str(world), rejects=None)


@pytest.fixture(scope="module")
def truth(world: Path) -> Truth:
    return read_truth(world)


def local(truth: Truth, user_id: str, day: int, hour: int) -> int:
    """Return the Unix milliseconds of a local hour, so many days after the world's first Monday."""
    offset = truth.preference.users.utc_offset_minutes[truth.user_ids.index(user_id)]
    return truth.start_ms + day * DAY_MS + hour * HOUR_MS - int(offset) * 60_000


def top(truth: Truth, scores: npt.NDArray[np.float64], count: int) -> set[str]:
    return {truth.item_ids[row] for row in np.argsort(-scores, kind="stable")[:count]}


@pytest.mark.parametrize("domain", DOMAINS)
def test_every_domain_loads_without_rejects_and_repairs(tmp_path: Path, domain: str) -> None:
    write_world(tmp_path / "w", domain=domain, items=150, users=40, seed=3)

    data = open_dataset(str(tmp_path / "w"), rejects=None)

    assert len(data.items) == 150
    assert len(data.users) == 40
    assert data.report.rejected == 0
    assert data.report.items_made == data.report.users_made == 0
    assert data.report.texts_with_encoding_repaired == data.report.texts_with_html_removed == 0
    assert data.repeat == (domain in ("music", "home"))
    assert (data.items["title"].str.len() > 0).all()
    assert read_truth(tmp_path / "w").repeat == data.repeat


@pytest.mark.parametrize(("items", "users"), [(1, 1), (3, 2), (60, 5)])
def test_the_smallest_worlds_can_be_written_and_read(
    tmp_path: Path, items: int, users: int
) -> None:
    write_world(tmp_path / "w", domain="mixed", items=items, users=users, seed=1)

    assert len(open_dataset(str(tmp_path / "w"), rejects=None).items) == items


def test_the_same_arguments_give_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        write_world(tmp_path / name, domain="home", items=80, users=30, seed=seed)

    files = sorted(p.relative_to(tmp_path / "a") for p in (tmp_path / "a").rglob("*.*"))

    assert len(files) == 9
    for file in files:
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()
    interactions = Path("interactions.csv")
    assert (tmp_path / "a" / interactions).read_bytes() != (
        tmp_path / "c" / interactions
    ).read_bytes()


def test_titles_are_unique_and_a_quarter_is_chinese(data: Dataset) -> None:
    chinese = data.items["title"].str.contains(r"[\u4e00-\u9fff]", regex=True)

    assert data.items["title"].nunique() >= 0.99 * len(data.items)
    assert 0.15 < chinese.mean() < 0.35
    assert (chinese == (data.items["language_code"] == "zh")).all()
    assert not data.items["description"].str.contains("[{}]", regex=True).any()
    assert (data.users["language_code"] == "zh").any()
    assert data.users["text"].str.contains(r"[\u4e00-\u9fff]", regex=True).any()


def test_texts_tell_topic_mood_and_look(data: Dataset) -> None:
    for row in data.items.itertuples():
        topic, mood, look = row.tags
        assert row.categories[1]
        assert mood != look
        text = f"{row.title} {row.description}".lower()
        if row.language_code == "en":
            assert len(text.split()) >= 8
        assert topic.lower() in text or row.categories[1] in text or len(text) > 20


def test_items_have_places_hours_prices_and_typed_attributes(data: Dataset) -> None:
    places = data.items[data.items["lat"].notna()]

    assert data.attribute_types == {
        "price": "float",
        "duration_minutes": "int",
        "opening_hours": "string",
        "city": "string",
        "family_friendly": "bool",
    }
    assert 20 < len(places) < len(data.items) / 3
    assert all(
        re.match(r"[A-Z][a-z](-[A-Z][a-z])? \d\d:00-\d\d:00", attributes["opening_hours"])
        for attributes in places["attributes"]
    )
    assert (~data.items["available"]).any()


def test_some_users_and_items_are_brand_new(data: Dataset, truth: Truth) -> None:
    quiet_users = np.setdiff1d(np.arange(len(data.users)), data.user_rows)
    late = data.items["created_at"] >= truth.end_ms

    assert len(quiet_users) >= 10
    assert (data.users["text"].iloc[quiet_users].str.len() > 0).all()
    assert late.sum() >= 10
    assert not late.to_numpy()[data.item_rows].any()


def test_activity_has_the_promised_size_and_a_long_tail(data: Dataset, truth: Truth) -> None:
    counts = np.bincount(data.user_rows)
    popularity = np.sort(np.bincount(data.item_rows))[::-1]

    assert 28 < counts[counts > 0].mean() < 42
    assert (counts[counts > 0] < 5).any()
    assert popularity[: len(popularity) // 10].sum() > 0.22 * popularity.sum()
    assert data.interactions["timestamp"].between(truth.start_ms, truth.end_ms).all()
    assert set(data.interactions["action"]) == {
        "view", "click", "like", "purchase", "dismiss", "rate",
    }  # fmt: skip
    assert data.interactions["rating"].dropna().between(0.5, 5.0).all()
    assert (data.interactions["text"] != "").any()


def test_nobody_uses_an_item_twice_unless_the_world_repeats(tmp_path: Path, data: Dataset) -> None:
    pairs = data.interactions[["user_id", "item_id"]]
    assert not pairs.duplicated().any()

    write_world(tmp_path / "home", domain="home", items=300, users=60, seed=7)
    visits = open_dataset(str(tmp_path / "home"), rejects=None).interactions
    assert visits[["user_id", "item_id"]].duplicated().mean() > 0.2


def test_places_are_used_when_they_are_open(data: Dataset) -> None:
    frame = data.interactions[data.interactions["action"] != "dismiss"]
    hours = data.items["attributes"].map(lambda attributes: attributes.get("opening_hours", ""))
    opening = hours.to_numpy()[frame["item_id"].cat.codes]
    local_hours = [
        int(hour_of_week(np.array([time]), int(offset))[0])
        for time, offset in zip(frame["timestamp"], frame["utc_offset_minutes"], strict=True)
    ]

    is_open = [
        opening_mask(text)[hour] for text, hour in zip(opening, local_hours, strict=True) if text
    ]

    assert np.mean(is_open) > 0.95


def test_what_people_do_follows_the_planted_truth(data: Dataset, truth: Truth) -> None:
    frame = data.interactions.sample(400, random_state=1)
    better = []
    for row in frame[frame["action"] != "dismiss"].itertuples():
        place = None if np.isnan(row.lat) else (row.lat, row.lon)
        scores = truth.true_scores(row.user_id, row.timestamp, place)
        chosen = scores[truth.item_ids.index(row.item_id)]
        better.append(np.mean(scores < chosen))

    assert np.mean(better) > 0.85


def test_liked_and_highly_rated_items_fit_better_than_dismissed_ones(
    data: Dataset, truth: Truth
) -> None:
    fits = {user: truth.preference.fit(row) for row, user in enumerate(truth.user_ids)}
    rows = {item_id: row for row, item_id in enumerate(truth.item_ids)}
    frame = data.interactions.assign(
        fit=[
            fits[user][rows[item]]
            for user, item in zip(
                data.interactions["user_id"], data.interactions["item_id"], strict=True
            )
        ]
    )
    by_action = frame.groupby("action", observed=True)["fit"].mean()
    rated = frame.dropna(subset=["rating"])

    assert by_action["like"] > by_action["dismiss"] + 1.0
    assert rated["rating"].corr(rated["fit"]) > 0.2


def test_true_scores_are_log_probabilities(truth: Truth) -> None:
    user_id = truth.user_ids[0]
    time_ms = local(truth, user_id, 100, 12)

    scores = truth.true_scores(user_id, time_ms)
    weights = truth.category_weights(user_id, time_ms)

    assert np.exp(scores).sum() == pytest.approx(1.0, abs=0.2)
    assert sum(weights.values()) == pytest.approx(1.0)
    assert truth.true_score(user_id, truth.item_ids[3], time_ms) == scores[3]
    assert truth.true_score(user_id, truth.item_ids[3], time_ms, history=[truth.item_ids[3]]) == (
        -np.inf
    )


def test_breakfast_at_home_and_saturday_night_away_differ_as_planted(truth: Truth) -> None:
    planted, differ = [], []
    for user_id in truth.user_ids:
        tuesday = local(truth, user_id, 99, 8)
        saturday = local(truth, user_id, 103, 22)
        breakfast = top(truth, truth.true_scores(user_id, tuesday, truth.home(user_id)), 20)
        night = top(truth, truth.true_scores(user_id, saturday, truth.out(user_id)), 20)
        morning_weights = truth.category_weights(user_id, tuesday)
        night_weights = truth.category_weights(user_id, saturday)
        differ.append(len(breakfast & night) < 10)
        planted.append(
            morning_weights["breakfast cafes"] > night_weights["breakfast cafes"]
            and morning_weights["bars"] < night_weights["bars"]
        )

    assert np.mean(differ) > 0.9
    assert np.mean(planted) > 0.95


def test_near_places_score_above_equal_far_ones(truth: Truth) -> None:
    items = truth.preference.items
    user_id = truth.user_ids[5]
    time_ms = local(truth, user_id, 100, 12)
    place = int(np.flatnonzero(np.isfinite(items.lat) & (items.created_ms < time_ms))[0])
    here = (float(items.lat[place]), float(items.lon[place]))

    near = truth.true_scores(user_id, time_ms, here)[place]
    far = truth.true_scores(user_id, time_ms, (here[0] + 0.05, here[1]))[place]

    assert near > far or not np.isfinite(near)


def test_tastes_drift_for_some_users(truth: Truth) -> None:
    users = truth.preference.users
    drifting = np.flatnonzero(np.isfinite(users.drift_ms))

    assert 0.1 < len(drifting) / len(truth.user_ids) < 0.4
    user = int(drifting[0])
    times = np.array([users.drift_ms[user] - 60 * DAY_MS, users.drift_ms[user] + 66 * DAY_MS])
    before, after = truth.preference.category_weights(user, times.astype(np.int64))
    assert np.abs(before - after).sum() > 0.3
    assert (
        users.taste[~np.isfinite(users.drift_ms)] == users.later_taste[~np.isfinite(users.drift_ms)]
    ).all()


def test_the_world_can_be_learnt_but_not_by_popularity(data: Dataset, truth: Truth) -> None:
    # Hit rates at 10 of the last three events: popularity < neighbours < truth, and time matters.
    frame = data.interactions.assign(user=data.user_rows, item=data.item_rows)
    frame = frame.sort_values(["user", "timestamp"], kind="stable")
    frame = frame[frame.groupby("user")["item"].transform("size") >= 8]
    targets = frame.groupby("user").tail(3)
    train = frame.drop(targets.index)
    seen = np.zeros((len(data.users), len(data.items)))
    seen[train["user"], train["item"]] = 1.0
    popularity = seen.sum(axis=0)
    together = seen.T @ seen
    np.fill_diagonal(together, 0.0)
    similar = together / (np.sqrt(np.outer(popularity, popularity)) + 5.0)
    rows = pd.Index(truth.item_ids).get_indexer(pd.Index(data.items["item_id"]))
    hits: dict[str, list[bool]] = {"popular": [], "neighbours": [], "timeless": [], "truth": []}
    for row in targets.itertuples():
        used = seen[row.user] > 0
        place = None if np.isnan(row.lat) else (row.lat, row.lon)
        other_times = [
            truth.true_scores(row.user_id, row.timestamp + hours * HOUR_MS)
            for hours in (-80, -57, -35, -14)
        ]
        scores = {
            "popular": popularity,
            "neighbours": similar[used].sum(axis=0),
            "timeless": np.exp(other_times).mean(axis=0)[rows],
            "truth": truth.true_scores(row.user_id, row.timestamp, place)[rows],
        }
        for name, values in scores.items():
            ranked = np.where(used, -np.inf, values)
            hits[name].append(bool((ranked > ranked[row.item]).sum() < 10))
    rate = {name: float(np.mean(values)) for name, values in hits.items()}

    assert rate["popular"] * 1.15 < rate["neighbours"], rate
    assert rate["neighbours"] * 1.3 < rate["timeless"], rate
    assert rate["timeless"] * 1.2 < rate["truth"], rate


def test_only_worlds_and_empty_directories_are_written_over(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "thesis.txt").write_text("years of work")
    empty = tmp_path / "empty"
    empty.mkdir()

    with pytest.raises(WorldError, match="holds something that is not a sample world"):
        write_world(precious, domain="shop", items=20, users=5, seed=1)
    with pytest.raises(WorldError, match="is not a directory"):
        write_world(precious / "thesis.txt", domain="shop", items=20, users=5, seed=1)
    write_world(empty, domain="shop", items=20, users=5, seed=1)
    write_world(empty, domain="news", items=20, users=5, seed=1)

    assert (precious / "thesis.txt").read_text() == "years of work"
    assert "news-00001" in (empty / "items.csv").read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "precious"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"domain": "cars"}, "domain 'cars' is none of mixed, shop"),
        ({"items": 0}, "items is 0; it must be from 1"),
        ({"users": -1}, "users is -1"),
        ({"items": 10**9}, "to 1,000,000"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_bad_arguments_are_named(tmp_path: Path, change: dict[str, int], told: str) -> None:
    arguments = {"domain": "shop", "items": 20, "users": 5, "seed": 1} | change

    with pytest.raises(WorldError, match=told):
        write_world(tmp_path / "w", **arguments)
    assert not list(tmp_path.iterdir())


def test_friends_are_told_on_request_and_change_nothing_else(tmp_path: Path) -> None:
    for name in ("plain", "friends"):
        out = tmp_path / name
        write_world(out, domain="mixed", items=120, users=200, seed=3, friends=name == "friends")
    plain, told = (
        {path.name: path.read_bytes() for path in (tmp_path / name).iterdir() if path.is_file()}
        for name in ("plain", "friends")
    )
    assert told.keys() - plain.keys() == {"social.csv"}
    assert told["interactions.csv"] == plain["interactions.csv"]
    users = [pd.read_csv(tmp_path / name / "users.csv") for name in ("plain", "friends")]
    pd.testing.assert_frame_equal(users[0], users[1].drop(columns="friends_enabled"))
    assert 0.7 < users[1]["friends_enabled"].mean() < 0.9
    social = pd.read_csv(tmp_path / "friends" / "social.csv")
    pairs = set(zip(social["user_id"], social["friend_id"], strict=True))
    assert all((friend, user) in pairs and user != friend for user, friend in pairs)


def test_friends_are_more_alike_than_strangers(tmp_path: Path) -> None:
    write_world(tmp_path / "w", domain="mixed", items=120, users=300, seed=5, friends=True)
    users = read_truth(tmp_path / "w").preference.users
    row = {user_id: place for place, user_id in enumerate(users.user_ids)}
    social = pd.read_csv(tmp_path / "w" / "social.csv")
    ones, others = (social[name].map(row).to_numpy() for name in ("user_id", "friend_id"))
    tastes = np.sqrt(users.taste)
    alike = (tastes[ones] * tastes[others]).sum(axis=1).mean()
    strangers = np.random.default_rng(0).permutation(others)
    assert alike > (tastes[ones] * tastes[strangers]).sum(axis=1).mean() + 0.05
    hidden = users.hidden / np.linalg.norm(users.hidden, axis=1, keepdims=True)
    assert (hidden[ones] * hidden[others]).sum(axis=1).mean() > 0.05
