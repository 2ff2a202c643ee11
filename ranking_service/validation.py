"""Checks of a RankRequest."""

from features.user_view import ReleaseTables
from features.variety import check_variety
from ranking_service.limits import (
    CANDIDATES_MAX,
    HISTORY_MAX,
    INTERESTS_MAX,
    TEXT_WEIGHT_MAX,
)
from serving.errors import InvalidField
from serving.validation import check_id, check_integer, check_number, check_size, check_time
from tandem.v1.common_pb2 import Vector
from tandem.v1.ranking_service_pb2 import RankRequest

POSITIONS_MAX = 50
TRIALS_MAX = 1_000_000_000


def check_request(request: RankRequest) -> None:
    """Check what does not depend on the release. Raises InvalidField."""
    check_id("release_id", request.release_id)
    check_size("candidates", request.candidates, low=1, high=CANDIDATES_MAX)
    check_size("user.history", request.user.history, high=HISTORY_MAX)
    check_number("text_weight", request.text_weight, low=0, high=TEXT_WEIGHT_MAX)
    check_size("interest_tags", request.interest_tags, high=INTERESTS_MAX)
    check_size("live_counts", request.live_counts, high=CANDIDATES_MAX)
    for place, count in enumerate(request.live_counts):
        check_number(f"live_counts[{place}].count", count.count, low=0)
    check_size("exploration.trials", request.exploration.trials, high=CANDIDATES_MAX)
    check_size("exploration.positions", request.exploration.positions, high=POSITIONS_MAX)
    for place, trial in enumerate(request.exploration.trials):
        for name in ("shown_count", "taken_count"):
            field = f"exploration.trials[{place}].{name}"
            check_integer(field, getattr(trial, name), low=0, high=TRIALS_MAX)
    for place, position in enumerate(request.exploration.positions):
        check_integer(f"exploration.positions[{place}]", position, low=1, high=CANDIDATES_MAX)
    check_integer("reason_count", request.reason_count, low=0, high=CANDIDATES_MAX)
    check_integer("item_count", request.item_count, low=0, high=CANDIDATES_MAX)
    check_variety(request.variety)
    if not request.context.HasField("request_time"):
        raise InvalidField("context.request_time", "is required")
    check_time("context.request_time", request.context.request_time)


def check_vectors(request: RankRequest, tables: ReleaseTables) -> None:
    """Check that vectors are as wide as the release's spaces. Raises InvalidField."""
    text_width = tables.items.text_vectors.shape[1]
    if request.HasField("text_vector"):
        _check_width("text_vector", request.text_vector, text_width)
    if request.HasField("user_vector"):
        _check_width("user_vector", request.user_vector, tables.tower.width)
    for place, override in enumerate(request.item_overrides):
        _check_width(f"item_overrides[{place}].text_vector", override.text_vector, text_width)
        for space, width in tables.items.media.widths.items():
            if space in override.item.vectors:
                field = f"item_overrides[{place}].item.vectors[{space}]"
                _check_width(field, override.item.vectors[space], width)


def _check_width(field: str, vector: Vector, width: int) -> None:
    wanted = 4 * width
    if len(vector.float32_values) != wanted:
        problem = f"must have {wanted} bytes, has {len(vector.float32_values)}"
        raise InvalidField(f"{field}.float32_values", problem)
