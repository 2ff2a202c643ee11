from collections.abc import Iterable

from google.protobuf.timestamp_pb2 import Timestamp

from tandem.v1 import event_pb2
from tandem.v1.catalog_service_pb2 import UpsertItemsRequest
from tandem.v1.event_pb2 import Event
from tandem.v1.event_service_pb2 import RecordEventsRequest
from tandem.v1.item_pb2 import Item
from tandem_client import AsyncTandemClient, TandemClient
from tandem_client.calls import record_events, upsert_batches


def test_both_clients_have_the_same_methods() -> None:
    def methods(client: type) -> set[str]:
        return {name for name in vars(client) if not name.startswith("_")}

    assert methods(TandemClient) == methods(AsyncTandemClient)


def test_events_without_a_time_get_one_and_the_callers_are_left_alone() -> None:
    timeless = Event(user_id="a", item_id="b", action=event_pb2.ACTION_VIEW)
    timed = Event(user_id="a", item_id="b", event_time=Timestamp(seconds=5))
    request = record_events([timeless, timed]).request
    assert isinstance(request, RecordEventsRequest)
    assert request.events[0].event_time.seconds > 1_700_000_000
    assert request.events[1].event_time.seconds == 5
    assert not timeless.HasField("event_time")


def test_an_upsert_is_cut_into_numbered_batches_and_resumed_after_those_done() -> None:
    items = [Item(item_id=str(n)) for n in range(7)]

    def shape(batches: Iterable[UpsertItemsRequest]) -> list[tuple[int, list[str]]]:
        return [(b.batch_number, [item.item_id for item in b.items]) for b in batches]

    whole = shape(upsert_batches(items, "load", done=0, batch_items=3))
    assert whole == [(1, ["0", "1", "2"]), (2, ["3", "4", "5"]), (3, ["6"])]
    assert shape(upsert_batches(items, "load", done=2, batch_items=3)) == whole[2:]
    assert shape(upsert_batches([], "load", done=0)) == []


def test_a_batch_of_long_vectors_holds_fewer_items_and_all_of_them_are_sent() -> None:
    items = [Item(item_id=str(n)) for n in range(100)]
    for item in items:
        for space in range(8):
            item.vectors[f"s{space}"].float32_values = bytes(4 * 4096)
    batches = list(upsert_batches(items, "load", done=0))
    assert len(batches) > 1
    assert max(batch.ByteSize() for batch in batches) < 9 * 1024 * 1024
    assert [item.item_id for batch in batches for item in batch.items] == [
        str(n) for n in range(100)
    ]
