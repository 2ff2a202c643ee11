"""The first stage: what is known of the user, read once."""

from features.policy import profile_for_age_limits
from gateway_service.store.database import Database
from gateway_service.store.times import now_us
from gateway_service.store.user_state import read_user_state
from serving.stages import StageLog
from tandem.v1 import context_pb2, stage_pb2
from tandem.v1.recommender_service_pb2 import RecommendRequest
from tandem.v1.user_pb2 import UserState


async def hydrate(
    database: Database, request: RecommendRequest, stages: StageLog, budget_s: float
) -> UserState:
    """Return the user's state: empty where it is unknown, or cannot be read.

    With personalization off, profile and history are left out; what was seen stays, and the year of
    birth, which is for age limits.
    """
    user_id = request.user_id
    if not user_id:
        stages.skip(
            stage_pb2.STAGE_HYDRATE,
            stage_pb2.SKIP_CAUSE_NO_INPUT,
            "no user: the request names none",
        )
        return UserState()
    user = await stages.run(
        stage_pb2.STAGE_HYDRATE,
        database.read(lambda connection: read_user_state(connection, user_id, now_us())),
        budget_s,
        instead="nothing is known of the user",
    )
    if user is None:
        return UserState(user_id=user_id)
    if not user.version:
        stages.skip(
            stage_pb2.STAGE_HYDRATE,
            stage_pb2.SKIP_CAUSE_NO_INPUT,
            "unknown user: the answer rests on text and context",
        )
    refused = user.profile.personalization_disabled
    if refused or request.personalization == context_pb2.PERSONALIZATION_OFF:
        who = "the user's profile" if refused else "the request"
        stages.skip(
            stage_pb2.STAGE_HYDRATE,
            stage_pb2.SKIP_CAUSE_DISABLED,
            f"{who} turned personalization off: only what was seen is used",
        )
        return UserState(
            user_id=user_id,
            profile=profile_for_age_limits(user.profile),
            seen=user.seen,
            read_time=user.read_time,
            version=user.version,
        )
    return user
