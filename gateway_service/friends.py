"""What friends of the user used lately, where both sides allow that it serves lists."""

from features.release import Release
from gateway_service.store.database import Database
from gateway_service.store.friends import read_friends_items
from gateway_service.store.times import to_us
from serving.stages import StageLog
from tandem.v1 import stage_pb2
from tandem.v1.common_pb2 import ItemCount
from tandem.v1.context_pb2 import RequestContext
from tandem.v1.user_pb2 import UserState


async def friends_items(
    database: Database,
    release: Release,
    user: UserState,
    context: RequestContext,
    stages: StageLog,
    budget_s: float,
) -> list[ItemCount]:
    """Return what friends used before the request; nothing unless the user's profile allows it.

    A profile that was withheld, as with personalization off, allows nothing. Nor is anything read
    for a release that has not learned what it is worth.
    """
    if not release.friends or not user.profile.friends_enabled:
        return []
    user_id, before_us = user.user_id, to_us(context.request_time)
    found = await stages.run(
        stage_pb2.STAGE_SOURCE_FRIENDS,
        database.read(lambda connection: read_friends_items(connection, user_id, before_us)),
        budget_s,
        instead="the list does without friends",
    )
    if found == []:
        stages.skip(
            stage_pb2.STAGE_SOURCE_FRIENDS,
            stage_pb2.SKIP_CAUSE_NO_INPUT,
            "no friend shares anything that they used",
        )
    return found or []
