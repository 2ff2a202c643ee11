"""What is logged of an answer, so that training learns from what was shown."""

from tandem.v1.common_pb2 import Vector
from tandem.v1.context_pb2 import RequestContext
from tandem.v1.impression_pb2 import Attribution, FeatureLog, Impression, ShownItem
from tandem.v1.ranking_service_pb2 import RankResponse
from tandem.v1.recommender_service_pb2 import RecommendResponse


def impression_of(
    user_id: str,
    context: RequestContext,
    answer: RecommendResponse,
    attribution: Attribution,
    ranked: RankResponse,
) -> Impression:
    """Return an answer as it is logged; with features if the ranker was asked for them."""
    impression = Impression(
        impression_id=attribution.impression_id,
        user_id=user_id,
        request_id=answer.request_id,
        release_id=answer.release_id,
        surface=context.surface,
        request_time=context.request_time,
        degraded=answer.degraded,
        experiment_arms=dict(context.experiment_arms),
        items=[
            ShownItem(
                item_id=item.item_id,
                score=item.score,
                propensity=attribution.propensities[place] if attribution.propensities else 1.0,
                hits=item.hits,
            )
            for place, item in enumerate(answer.items)
        ],
    )
    if ranked.HasField("features"):
        read = {
            item.item_id: vector
            for item, vector in zip(ranked.items, ranked.features.items, strict=True)
        }
        served = [read.get(item.item_id, Vector()) for item in answer.items]
        impression.features.CopyFrom(FeatureLog(names=ranked.features.names, items=served))
    return impression
