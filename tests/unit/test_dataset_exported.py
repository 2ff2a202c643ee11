"""What a running system has logged, written as a data set and read again."""

from pathlib import Path

import numpy as np
import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from features.candidates import FEATURES
from tandem.v1 import event_pb2
from tandem.v1.common_pb2 import Place, Vector
from tandem.v1.event_pb2 import Event
from tandem.v1.event_service_pb2 import ExportEventsResponse, KnownFriends, KnownProfile
from tandem.v1.impression_pb2 import Attributed, FeatureLog, Impression, LoggedEvent, ShownItem
from tandem.v1.item_pb2 import AttributeValue, Item
from tandem.v1.user_pb2 import Friend, InterestTag, UserProfile
from training.datasets import Dataset, open_dataset
from training.datasets.exported import write_exported

LIST_ID = bytes(range(16))
WHEN = Timestamp(seconds=1_700_000_000, nanos=5_000_000)


def event(item_id: str, action: event_pb2.Action.ValueType, second: int = 0) -> Event:
    return Event(
        event_id=f"{item_id}-{action}-{second}",
        user_id="anna",
        item_id=item_id,
        action=action,
        event_time=Timestamp(seconds=1_700_000_010 + second),
    )


def logged(item_id: str, action: event_pb2.Action.ValueType, position: int) -> LoggedEvent:
    attributed = Attributed(impression_id=LIST_ID, position=position, propensity=1.0)
    return LoggedEvent(event=event(item_id, action), attributed=attributed)


def shown(list_id: bytes, item_ids: list[str], *, features: bool) -> Impression:
    one = Impression(
        impression_id=list_id,
        user_id="anna",
        request_time=WHEN,
        items=[ShownItem(item_id=i, score=1.0, propensity=0.5) for i in item_ids],
    )
    if features:
        rows = [np.full(len(FEATURES), n, "<f4").tobytes() for n in range(len(item_ids) - 1)]
        vectors = [*(Vector(float32_values=row) for row in rows), Vector()]
        one.features.CopyFrom(FeatureLog(names=FEATURES, items=vectors))
    return one


def written(directory: Path, *parts: ExportEventsResponse, items: list[Item]) -> Dataset:
    write_exported(directory / "data", parts, items, name="ours", repeat=True)
    return open_dataset(str(directory / "data"), rejects=directory / "rejects.csv")


def with_vector(item_id: str, vector: list[float]) -> Item:
    item = Item(item_id=item_id)
    item.vectors["look"].float32_values = np.array(vector, "<f4").tobytes()
    return item


ITEMS = [Item(item_id=i) for i in ("a", "b", "c")]


def test_events_items_and_profiles_come_back_as_they_were(tmp_path: Path) -> None:
    full = event("a", event_pb2.ACTION_RATE)
    full.rating = 4.5
    full.dwell.CopyFrom(Duration(seconds=2))
    full.place.CopyFrom(Place(latitude=1.5, longitude=-2.5))
    full.utc_offset.CopyFrom(Duration(seconds=-3_600))
    full.text = '很好, "quite" good\n'
    item = Item(
        item_id="a",
        title="Alpha",
        categories=["x", "y z"],
        tags=["t|u"],
        brand="Acme",
        language_code="en",
        create_time=Timestamp(seconds=5),
        unavailable=True,
        place=Place(latitude=3.0, longitude=4.0),
        attributes={
            "price": AttributeValue(double_value=2.5),
            "year": AttributeValue(int64_value=1999),
            "vegan": AttributeValue(bool_value=False),
            "city": AttributeValue(string_value="Kiel"),
            "title": AttributeValue(string_value="an attribute with a column's name"),
        },
    )
    profile = UserProfile(
        text="slow films",
        region_code="DE",
        interest_tags=[InterestTag(tag="noir"), InterestTag(tag="gore", confidence=-1.0)],
    )
    part = ExportEventsResponse(
        events=[LoggedEvent(event=full), LoggedEvent(event=event("b", event_pb2.ACTION_VIEW))],
        profiles=[KnownProfile(user_id="anna", profile=profile)],
    )
    data = written(tmp_path, part, items=[item, Item(item_id="b", title="Beta")])
    assert data.name == "ours"
    assert data.repeat
    first, second = data.interactions.to_dict("records")
    assert (first["action"], first["rating"], first["dwell_ms"]) == ("rate", 4.5, 2_000)
    assert (first["lat"], first["lon"], first["utc_offset_minutes"]) == (1.5, -2.5, -60)
    assert first["timestamp"] == 1_700_000_010_000
    assert "很好" in first["text"]
    assert np.isnan([second["rating"], second["lat"], second["utc_offset_minutes"]]).all()
    alpha = data.items.set_index("item_id").loc["a"]
    assert (alpha["title"], alpha["brand"], alpha["categories"]) == ("Alpha", "Acme", ["x", "y z"])
    assert not alpha["available"]
    assert alpha["created_at"] == 5_000
    assert alpha["attributes"] == {"price": 2.5, "year": 1999, "vegan": False, "city": "Kiel"}
    (user,) = data.users.to_dict("records")
    assert (user["text"], user["region_code"], user["tags"]) == ("slow films", "DE", ["noir"])


def test_lists_are_joined_to_what_became_of_their_items(tmp_path: Path) -> None:
    events = ExportEventsResponse(
        events=[
            logged("b", event_pb2.ACTION_CLICK, 2),
            logged("b", event_pb2.ACTION_PURCHASE, 2),
            logged("b", event_pb2.ACTION_VIEW, 2),
            logged("c", event_pb2.ACTION_DISMISS, 3),
            LoggedEvent(event=event("a", event_pb2.ACTION_VIEW, 9)),
        ]
    )
    lists = ExportEventsResponse(impressions=[shown(LIST_ID, ["a", "b", "c"], features=True)])
    data = written(tmp_path, events, lists, items=ITEMS)
    rows = data.impressions
    assert rows["position"].tolist() == [1, 2, 3]
    assert rows["action"].tolist() == ["", "purchase", "dismiss"]
    assert rows["propensity"].tolist() == [0.5] * 3
    assert rows["timestamp"].tolist() == [1_700_000_000_005] * 3
    read = rows[f"feature:{FEATURES[0]}"].tolist()
    assert read[:2] == [0.0, 1.0]
    assert np.isnan(read[2]), "the ranker had not read it"


@pytest.mark.parametrize(("features", "event_too", "kept"), [(1, 0, 1), (0, 1, 1), (0, 0, 0)])
def test_lists_of_which_nothing_is_known_are_left_out(
    tmp_path: Path, features: int, event_too: int, kept: int
) -> None:
    events = [LoggedEvent(event=event("a", event_pb2.ACTION_VIEW))]
    events += [logged("b", event_pb2.ACTION_CLICK, 2)] if event_too else []
    nobody = shown(b"x" * 16, ["a", "b"], features=True)
    nobody.user_id = ""
    lists = [shown(LIST_ID, ["a", "b"], features=bool(features)), nobody]
    part = ExportEventsResponse(events=events, impressions=lists)
    data = written(tmp_path, part, items=ITEMS)
    assert len(data.impressions) == 2 * kept


def test_vectors_come_along(tmp_path: Path) -> None:
    events = [logged("a", event_pb2.ACTION_VIEW, 1), logged("b", event_pb2.ACTION_VIEW, 2)]
    items = [with_vector("a", [0, 1]), Item(item_id="b"), with_vector("c", [3, 4])]
    data = written(tmp_path, ExportEventsResponse(events=events), items=items)
    assert list(data.vectors) == ["look"]
    by_id = dict(zip(data.items["item_id"], data.vectors["look"].tolist(), strict=True))
    assert by_id["a"] == [0, 1]
    assert by_id["b"] == [0, 0]
    np.testing.assert_allclose(by_id["c"], [0.6, 0.8], atol=1e-3)


def test_friends_come_back_between_users_who_are_known(tmp_path: Path) -> None:
    off = UserProfile(friends_enabled=True, personalization_disabled=True)
    profiles = {"bert": UserProfile(friends_enabled=True), "carl": off}
    listed = [Friend(user_id=i, weight=w) for i, w in (("bert", 2.5), ("carl", 1), ("stranger", 9))]
    first = ExportEventsResponse(
        events=[LoggedEvent(event=event("a", event_pb2.ACTION_VIEW))],
        profiles=[KnownProfile(user_id=user_id, profile=p) for user_id, p in profiles.items()],
    )
    second = ExportEventsResponse(friends=[KnownFriends(user_id="anna", friends=listed)])
    data = written(tmp_path, first, second, items=ITEMS)
    shares = dict(zip(data.users["user_id"], data.users["friends_enabled"], strict=True))
    assert shares == {"bert": True, "carl": False, "anna": False}
    ids = data.users["user_id"]
    rows = data.social.itertuples(index=False)
    assert [(ids[r.user_id], ids[r.friend_id], r.weight) for r in rows] == [
        ("anna", "bert", 2.5),
        ("anna", "carl", 1.0),
    ]


def test_friends_of_strangers_alone_are_none(tmp_path: Path) -> None:
    part = ExportEventsResponse(
        events=[LoggedEvent(event=event("a", event_pb2.ACTION_VIEW))],
        friends=[KnownFriends(user_id="anna", friends=[Friend(user_id="stranger", weight=1)])],
    )
    assert written(tmp_path, part, items=ITEMS).social.empty
