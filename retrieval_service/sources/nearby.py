"""Candidates close to where the user is."""

import numpy as np

from features.nearby import near_rows, near_scores
from retrieval_service.catalogue.places import Places
from retrieval_service.sources.fill import keep
from retrieval_service.sources.query import Query, Scored
from serving.stages import NoInput


async def find_nearby(query: Query, places: Places) -> Scored:
    """Return items within the radius by distance and popularity."""
    if not np.isfinite(query.moment.latitude):
        raise NoInput("no place of the request, nor of the newest event")
    rows, km = near_rows(places.points, query.moment.point)
    ids = places.ids_of(rows.tolist())
    items = query.loaded.release.items
    of_release = items.rows(ids)
    known = of_release >= 0
    popularity = np.zeros(len(ids), np.float32)
    popularity[known] = items.popularity[of_release[known]]
    scores = near_scores(km, popularity)
    best = np.argsort(-scores, kind="stable").tolist()
    return keep(query, ((ids[place], float(scores[place])) for place in best))
