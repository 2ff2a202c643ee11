import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest

from serving.errors import InvalidField, status_of
from tandem.v1 import (
    candidate_pb2,
    event_pb2,
    event_service_pb2_grpc,
    recommender_service_pb2_grpc,
    stage_pb2,
)
from tandem.v1.candidate_pb2 import Hit, RankedItem, Reason
from tandem.v1.event_service_pb2 import RecordEventsResponse
from tandem.v1.recommender_service_pb2 import RecommendResponse
from tandem.v1.stage_pb2 import SkippedStage
from tandem.v1.variety_pb2 import Variety


class FakeGateway(
    recommender_service_pb2_grpc.RecommenderServiceServicer,
    event_service_pb2_grpc.EventServiceServicer,
):
    def __init__(self):
        self.requests = []

    def Recommend(self, request, context):
        self.requests.append(request)
        if request.item_count < 0:
            context.abort_with_status(status_of(InvalidField("item_count", "must be 1 to 500")))
        return RecommendResponse(
            items=[
                RankedItem(
                    item_id="7",
                    title="慢走的月亮",
                    score=0.75,
                    selector_shift=2,
                    hits=[Hit(source=candidate_pb2.SOURCE_CF, score=1.5, rank=3)],
                    reasons=[Reason(text="Liked by people with a similar history.")],
                )
            ],
            degraded=True,
            skipped_stages=[
                SkippedStage(
                    stage=stage_pb2.STAGE_RANK, cause=stage_pb2.SKIP_CAUSE_TIMEOUT, detail="late"
                )
            ],
            release_id="r1",
        )

    def RecordEvents(self, request, context):
        self.requests.append(request)
        return RecordEventsResponse(recorded_count=len(request.events))


@pytest.fixture
def gateway():
    fake = FakeGateway()
    with ThreadPoolExecutor(2) as pool:
        server = grpc.server(pool)
        recommender_service_pb2_grpc.add_RecommenderServiceServicer_to_server(fake, server)
        event_service_pb2_grpc.add_EventServiceServicer_to_server(fake, server)
        fake.target = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
        server.start()
        yield fake
        server.stop(None).wait()


def tandem(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "tandem_cli", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )


def test_a_list_shows_titles_scores_sources_reasons_and_what_was_left_out(gateway):
    done = tandem("recommend", "--user", "1", "--target", gateway.target)
    assert done.returncode == 0, done.stderr
    for expected in (
        "慢走的月亮",
        "0.7500",
        "cf 3",
        "similar history",
        "DEGRADED",
        "rank (timeout)",
    ):
        assert expected in done.stdout


def test_json_is_the_whole_answer_and_nothing_else(gateway):
    done = tandem("recommend", "--text", "moon", "-k", "3", "--json", "--target", gateway.target)
    answer = json.loads(done.stdout)
    assert answer["items"][0]["item_id"] == "7"
    assert answer["items"][0]["title"] == "慢走的月亮"
    assert answer["degraded"] is True
    assert gateway.requests[0].text == "moon"
    assert gateway.requests[0].item_count == 3


def test_the_options_of_a_request_reach_the_gateway(gateway):
    tandem(
        *("recommend", "--user", "1", "--target", gateway.target, "--seed-item", "9"),
        *("--time", "2026-05-01T20:15+02:00", "--lat", "48.1", "--lon", "11.5"),
        *("--filter", "price<=20"),
    )
    request = gateway.requests[0]
    assert request.context.seed_item_id == "9"
    assert request.context.request_time.ToJsonString() == "2026-05-01T18:15:00Z"
    assert request.context.utc_offset.seconds == 7200
    assert request.context.place.latitude == 48.1
    assert request.filter.condition.attribute == "price"


def test_the_dials_of_variety_reach_the_gateway_and_the_shift_is_shown(gateway):
    done = tandem(
        *("recommend", "--target", gateway.target, "--diversity", "0.5", "--category-max", "3"),
        *("--brand-max", "2", "--fresh-share", "0.25", "--near-duplicates", "--pin", "a@b@4"),
    )
    request = gateway.requests[0]
    wanted = Variety(
        diversity=0.5, category_max=3, brand_max=2, fresh_share=0.25, keep_near_duplicates=True
    )
    assert request.variety == wanted
    assert [(pin.item_id, pin.position) for pin in request.pins] == [("a@b", 4)]
    assert "Shift" in done.stdout
    assert "+2" in done.stdout
    tandem("recommend", "--target", gateway.target)
    assert not gateway.requests[1].variety.HasField("diversity")


def test_a_refused_field_is_one_line_naming_field_and_limit(gateway):
    done = tandem("recommend", "-k", "-1", "--target", gateway.target)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == "tandem: item_count: must be 1 to 500\n"


def test_an_event_reaches_the_gateway(gateway):
    done = tandem("event", "-u", "1", "-i", "7", "-a", "like", "--target", gateway.target)
    assert (done.returncode, done.stderr) == (0, "recorded\n")
    event = gateway.requests[0].events[0]
    assert (event.user_id, event.item_id, event.action) == ("1", "7", event_pb2.ACTION_LIKE)
    assert not event.HasField("rating")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["recommend", "--target", "127.0.0.1:1"], "cannot reach Tandem at 127.0.0.1:1"),
        (["recommend", "--lat", "3"], "--lat and --lon go together"),
        (["recommend", "--time", "yesterday"], "no ISO 8601 time"),
        (["recommend", "--pin", "318"], "--pin '318': write it as ITEM@POSITION"),
        (["recommend", "--pin", "@1"], "--pin '@1': write it as ITEM@POSITION"),
        (["recommend", "--filter", "x"], "--filter 'x'"),
        (["event", "-u", "1", "-i", "2", "-a", "stare"], "--action stare: is none of"),
        (["release", "activate", "/nowhere"], "/nowhere is no release"),
    ],
)
def test_a_failure_is_one_line_on_standard_error_and_status_1(arguments, expected):
    done = tandem(*arguments)
    assert done.returncode == 1
    assert done.stdout == ""
    assert expected in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("tandem: ")


def test_an_unknown_command_is_a_usage_error():
    assert tandem("dance").returncode == 2
