"""What is logged of an answer, so that events can be joined to what was shown."""

from typing import Any

from gateway_service.store.times import now_us, to_us
from tandem.v1.context_pb2 import RequestContext
from tandem.v1.recommender_service_pb2 import RecommendResponse


def impression_row(
    user_id: str, context: RequestContext, answer: RecommendResponse
) -> dict[str, Any]:
    """Return an answer as a row of the table of impressions."""
    return {
        "attribution_token": answer.attribution_token,
        "user_id": user_id,
        "request_id": answer.request_id,
        "release_id": answer.release_id,
        "surface": context.surface,
        "request_time_us": to_us(context.request_time),
        "logged_time_us": now_us(),
        "degraded": answer.degraded,
        "experiment_arms": dict(context.experiment_arms),
        "items": [
            [item.item_id, item.score, [hit.source for hit in item.hits]] for item in answer.items
        ],
    }
