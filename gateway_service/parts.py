"""Puts the gateway together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc.aio

from features.followed_policy import FollowedPolicy
from gateway_service.activation import Activation
from gateway_service.attribution import Tokens
from gateway_service.downstream import connect
from gateway_service.erasure import Erasure
from gateway_service.explain import Explainer
from gateway_service.exploration import Exploring
from gateway_service.feedback import Feedback
from gateway_service.live_counts import LiveCounts
from gateway_service.pipeline import Recommender
from gateway_service.reconcile import Reconciler
from gateway_service.releases import Releases
from gateway_service.retention import keep_for
from gateway_service.safety import Safety
from gateway_service.servicer import (
    EventServicer,
    RecommenderServicer,
    ReleaseServicer,
    UserServicer,
)
from gateway_service.settings import Settings
from gateway_service.store.database import Database
from gateway_service.store.token_keys import read_token_keys
from gateway_service.validation import LIMITS
from serving.audit import AuditLog
from serving.info import InfoServicer
from serving.server import Health, Parts
from tandem.v1 import (
    event_service_pb2,
    event_service_pb2_grpc,
    info_service_pb2,
    info_service_pb2_grpc,
    recommender_service_pb2,
    recommender_service_pb2_grpc,
    release_service_pb2,
    release_service_pb2_grpc,
    user_service_pb2,
    user_service_pb2_grpc,
)
from tandem_client.channel import open_aio_channel

SERVICES = (
    event_service_pb2.DESCRIPTOR.services_by_name["EventService"],
    info_service_pb2.DESCRIPTOR.services_by_name["InfoService"],
    recommender_service_pb2.DESCRIPTOR.services_by_name["RecommenderService"],
    release_service_pb2.DESCRIPTOR.services_by_name["ReleaseService"],
    user_service_pb2.DESCRIPTOR.services_by_name["UserService"],
)


def gateway_parts(settings: Settings) -> Parts:
    """Return what `run_server` enters."""

    @asynccontextmanager
    async def parts(server: grpc.aio.Server, health: Health) -> AsyncIterator[None]:
        audit = AuditLog(settings.audit_file)
        rules = FollowedPolicy(settings.policy_file, audit)
        database = Database(
            settings.database_url,
            read_threads=settings.read_threads,
            write_queue=settings.write_queue,
        )
        erasure = Erasure(database, audit, settings.audit_key)
        await erasure.erase_again()
        retrieval = open_aio_channel(settings.retrieval_target)
        ranking = open_aio_channel(settings.ranking_target)
        downstream = connect(retrieval, ranking)
        releases = Releases(database)
        await releases.refresh()
        live = LiveCounts(database)
        exploring = Exploring(database, settings.exploration_share)
        tokens = Tokens(await database.write(read_token_keys))
        recommender = Recommender(
            settings, releases, database, downstream, tokens, live, exploring, Safety(rules)
        )
        activation = Activation(releases, downstream, settings.activation_timeout_s)
        recommender_service_pb2_grpc.add_RecommenderServiceServicer_to_server(
            RecommenderServicer(
                recommender,
                Explainer(recommender, downstream, live),
                settings.default_deadline_s,
            ),
            server,
        )
        event_service_pb2_grpc.add_EventServiceServicer_to_server(
            EventServicer(Feedback(database, tokens, releases, live)), server
        )
        user_service_pb2_grpc.add_UserServiceServicer_to_server(
            UserServicer(database, erasure), server
        )
        release_service_pb2_grpc.add_ReleaseServiceServicer_to_server(
            ReleaseServicer(activation, releases, database), server
        )
        info = InfoServicer(
            "gateway",
            LIMITS,
            releases.infos,
            lambda: (releases.pointer.current, releases.pointer.previous),
        )
        info_service_pb2_grpc.add_InfoServiceServicer_to_server(info, server)
        tasks = [
            asyncio.create_task(
                Reconciler(releases, live, exploring, downstream, health).run(
                    settings.reconcile_interval_s
                )
            ),
            asyncio.create_task(rules.follow(settings.policy_interval_s)),
            asyncio.create_task(keep_for(database, settings.impression_days)),
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await retrieval.close(None)
            await ranking.close(None)
            await asyncio.to_thread(database.close)
            await asyncio.to_thread(audit.close)

    return parts
