"""The gateway's contracts. What they do is in the modules that they call."""

from collections.abc import AsyncIterator
from contextlib import aclosing

import grpc

from gateway_service.activation import Activation
from gateway_service.erasure import Erasure
from gateway_service.explain import Explainer
from gateway_service.feedback import Feedback
from gateway_service.pipeline import Recommender
from gateway_service.releases import Releases
from gateway_service.store.database import Database
from gateway_service.store.friends import put_friends
from gateway_service.store.profiles import put_profile
from gateway_service.store.releases import list_releases
from gateway_service.store.times import now_us
from gateway_service.store.user_state import read_user_state
from gateway_service.user_export import export_user
from gateway_service.validation import check_put_friends, check_put_profile
from serving.stages import Deadline
from serving.validation import check_id
from tandem.v1.event_service_pb2 import (
    ExportEventsRequest,
    ExportEventsResponse,
    RecordEventsRequest,
    RecordEventsResponse,
    StreamEventsRequest,
    StreamEventsResponse,
)
from tandem.v1.event_service_pb2_grpc import EventServiceServicer
from tandem.v1.recommender_service_pb2 import (
    ExplainRequest,
    ExplainResponse,
    RecommendRequest,
    RecommendResponse,
)
from tandem.v1.recommender_service_pb2_grpc import RecommenderServiceServicer
from tandem.v1.release_service_pb2 import (
    ActivateReleaseRequest,
    ActivateReleaseResponse,
    ListReleasesRequest,
    ListReleasesResponse,
    RollbackReleaseRequest,
    RollbackReleaseResponse,
)
from tandem.v1.release_service_pb2_grpc import ReleaseServiceServicer
from tandem.v1.user_service_pb2 import (
    EraseUserRequest,
    EraseUserResponse,
    ExportUserRequest,
    ExportUserResponse,
    GetUserStateRequest,
    GetUserStateResponse,
    PutFriendsRequest,
    PutFriendsResponse,
    PutUserProfileRequest,
    PutUserProfileResponse,
)
from tandem.v1.user_service_pb2_grpc import UserServiceServicer


class RecommenderServicer(RecommenderServiceServicer):
    """Serves Recommend and Explain."""

    def __init__(
        self, recommender: Recommender, explainer: Explainer, default_deadline_s: float
    ) -> None:
        self._recommender = recommender
        self._explainer = explainer
        self._default_deadline_s = default_deadline_s

    async def Recommend(
        self, request: RecommendRequest, context: grpc.ServicerContext
    ) -> RecommendResponse:
        deadline = Deadline.of(context, self._default_deadline_s)
        return await self._recommender.recommend(request, deadline)

    async def Explain(
        self, request: ExplainRequest, context: grpc.ServicerContext
    ) -> ExplainResponse:
        deadline = Deadline.of(context, self._default_deadline_s)
        return await self._explainer.explain(request, deadline)


class EventServicer(EventServiceServicer):
    """Takes events, and gives them out for training."""

    def __init__(self, feedback: Feedback) -> None:
        self._feedback = feedback

    async def RecordEvents(
        self, request: RecordEventsRequest, context: grpc.ServicerContext
    ) -> RecordEventsResponse:
        return await self._feedback.record(request)

    async def StreamEvents(
        self, request_iterator: AsyncIterator[StreamEventsRequest], context: grpc.ServicerContext
    ) -> AsyncIterator[StreamEventsResponse]:
        async for batch in request_iterator:
            stored = await self._feedback.record(RecordEventsRequest(events=batch.events))
            yield StreamEventsResponse(
                recorded_count=stored.recorded_count,
                duplicate_count=stored.duplicate_count,
                attributed_count=stored.attributed_count,
            )

    async def ExportEvents(
        self, request: ExportEventsRequest, context: grpc.ServicerContext
    ) -> AsyncIterator[ExportEventsResponse]:
        async with aclosing(self._feedback.export(request)) as pages:
            async for page in pages:
                yield page


class UserServicer(UserServiceServicer):
    """Keeps profiles and friends, tells user states, gives out what is stored and erases it."""

    def __init__(self, database: Database, erasure: Erasure) -> None:
        self._database = database
        self._erasure = erasure

    async def PutUserProfile(
        self, request: PutUserProfileRequest, context: grpc.ServicerContext
    ) -> PutUserProfileResponse:
        check_put_profile(request)
        version = await self._database.write(
            lambda connection: put_profile(connection, request.user_id, request.profile, now_us())
        )
        return PutUserProfileResponse(version=version)

    async def PutFriends(
        self, request: PutFriendsRequest, context: grpc.ServicerContext
    ) -> PutFriendsResponse:
        check_put_friends(request)
        version = await self._database.write(
            lambda connection: put_friends(connection, request.user_id, request.friends, now_us())
        )
        return PutFriendsResponse(version=version)

    async def GetUserState(
        self, request: GetUserStateRequest, context: grpc.ServicerContext
    ) -> GetUserStateResponse:
        check_id("user_id", request.user_id)
        user = await self._database.read(
            lambda connection: read_user_state(connection, request.user_id, now_us())
        )
        return GetUserStateResponse(user=user)

    async def EraseUser(
        self, request: EraseUserRequest, context: grpc.ServicerContext
    ) -> EraseUserResponse:
        check_id("user_id", request.user_id)
        return await self._erasure.erase(request.user_id)

    async def ExportUser(
        self, request: ExportUserRequest, context: grpc.ServicerContext
    ) -> AsyncIterator[ExportUserResponse]:
        check_id("user_id", request.user_id)
        await self._erasure.tell_export(request.user_id)
        async with aclosing(export_user(self._database, request.user_id)) as batches:
            async for batch in batches:
                yield batch


class ReleaseServicer(ReleaseServiceServicer):
    """Moves the pointer to the release that serves."""

    def __init__(self, activation: Activation, releases: Releases, database: Database) -> None:
        self._activation = activation
        self._releases = releases
        self._database = database

    async def ActivateRelease(
        self, request: ActivateReleaseRequest, context: grpc.ServicerContext
    ) -> AsyncIterator[ActivateReleaseResponse]:
        async with aclosing(
            self._activation.activate(request.release_uri, force=request.force)
        ) as steps:
            async for step in steps:
                yield step

    async def RollbackRelease(
        self, request: RollbackReleaseRequest, context: grpc.ServicerContext
    ) -> RollbackReleaseResponse:
        return await self._activation.rollback()

    async def ListReleases(
        self, request: ListReleasesRequest, context: grpc.ServicerContext
    ) -> ListReleasesResponse:
        pointer = self._releases.pointer
        return ListReleasesResponse(
            releases=self._releases.with_states(await self._database.read(list_releases)),
            current_release_id=pointer.current,
            previous_release_id=pointer.previous,
        )
