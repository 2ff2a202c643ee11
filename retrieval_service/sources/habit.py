"""Candidates that the user comes back to, above all at such hours; where people do come back."""

import numpy as np

from features.habits import likeness_of_hours, returns
from retrieval_service.sources.fill import keep
from retrieval_service.sources.query import Query, Scored
from serving.stages import NoInput


async def find_habit(query: Query) -> Scored:
    """Return the history's own items, by how often, how recently and at which hours."""
    if not query.item_ids:
        raise NoInput("no history")
    number = {item_id: place for place, item_id in enumerate(query.item_ids)}
    same = np.array([number[item_id] for item_id in query.item_ids])
    scores = returns(same, query.weights, likeness_of_hours(query.events, query.moment))
    best = sorted(number.items(), key=lambda one: -scores[one[1]])
    return keep(query, ((item_id, float(scores[place])) for item_id, place in best))
