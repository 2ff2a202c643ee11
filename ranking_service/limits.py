"""Limits on requests, as GetInfo tells them."""

from tandem.v1.info_service_pb2 import Limit

CANDIDATES_MAX = 2_000
HISTORY_MAX = 512
INTERESTS_MAX = 512
TEXT_WEIGHT_MAX = 10
LIMITS = [
    Limit(name="RankRequest.candidates", value=CANDIDATES_MAX, unit="candidates"),
    Limit(name="RankRequest.item_count", value=CANDIDATES_MAX, unit="items"),
    Limit(name="RankRequest.user.history", value=HISTORY_MAX, unit="events"),
]
