"""Which sources a request asks, and of what stage each is."""

from collections.abc import Awaitable

from retrieval_service.catalogue.view import View
from retrieval_service.sources.cf import find_cf
from retrieval_service.sources.fresh import find_fresh
from retrieval_service.sources.friends import find_friends
from retrieval_service.sources.graph import find_graph
from retrieval_service.sources.habit import find_habit
from retrieval_service.sources.lexical import find_lexical
from retrieval_service.sources.media import find_media
from retrieval_service.sources.nearby import find_nearby
from retrieval_service.sources.popular import find_popular
from retrieval_service.sources.query import Float32, Query, Scored
from retrieval_service.sources.semantic import find_semantic
from retrieval_service.sources.sequence import find_sequence
from retrieval_service.sources.similar import find_similar
from retrieval_service.sources.tags import find_tags
from tandem.v1 import candidate_pb2, stage_pb2
from tandem.v1.candidate_pb2 import Source
from tandem.v1.stage_pb2 import Stage
from tandem.v1.user_pb2 import InterestTag

Sources = dict[Source.ValueType, tuple[Stage.ValueType, Awaitable[Scored]]]


def sources_of(
    query: Query,
    view: View,
    words: Awaitable[Float32 | None],
    interests: Awaitable[list[InterestTag]],
    user: Awaitable[Float32 | None],
) -> Sources:
    """Return the sources that have something to work with in this catalogue."""
    sources: Sources = {
        candidate_pb2.SOURCE_SEMANTIC: (
            stage_pb2.STAGE_SOURCE_SEMANTIC,
            find_semantic(query, words),
        ),
        candidate_pb2.SOURCE_CF: (stage_pb2.STAGE_SOURCE_CF, find_cf(query)),
        candidate_pb2.SOURCE_SIMILAR: (stage_pb2.STAGE_SOURCE_SIMILAR, find_similar(query)),
        candidate_pb2.SOURCE_POPULAR: (
            stage_pb2.STAGE_SOURCE_POPULAR,
            find_popular(query, view),
        ),
        candidate_pb2.SOURCE_SEQUENCE: (
            stage_pb2.STAGE_SOURCE_SEQUENCE,
            find_sequence(query, user),
        ),
    }
    fresh = (stage_pb2.STAGE_SOURCE_FRESH, find_fresh(query, view.entries))
    sources[candidate_pb2.SOURCE_FRESH] = fresh
    if query.said.text:
        lexical = (stage_pb2.STAGE_SOURCE_LEXICAL, find_lexical(query))
        sources[candidate_pb2.SOURCE_LEXICAL] = lexical
        tags = (stage_pb2.STAGE_SOURCE_TAGS, find_tags(query, interests))
        sources[candidate_pb2.SOURCE_TAGS] = tags
    if query.loaded.release.repeat:
        habit = (stage_pb2.STAGE_SOURCE_HABIT, find_habit(query))
        sources[candidate_pb2.SOURCE_HABIT] = habit
    if len(view.places) and query.loaded.release.senses.place:
        nearby = (stage_pb2.STAGE_SOURCE_NEARBY, find_nearby(query, view.places))
        sources[candidate_pb2.SOURCE_NEARBY] = nearby
    if query.loaded.release.entities.useful:
        graph = (stage_pb2.STAGE_SOURCE_GRAPH, find_graph(query))
        sources[candidate_pb2.SOURCE_GRAPH] = graph
    if query.loaded.release.items.media.spaces:
        media = (stage_pb2.STAGE_SOURCE_MEDIA, find_media(query))
        sources[candidate_pb2.SOURCE_MEDIA] = media
    if query.friends_items and query.loaded.release.friends:
        friends = (stage_pb2.STAGE_SOURCE_FRIENDS, find_friends(query))
        sources[candidate_pb2.SOURCE_FRIENDS] = friends
    return sources
