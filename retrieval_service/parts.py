"""Puts the retrieval service together."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc.aio

from features.followed_policy import FollowedPolicy
from retrieval_service.catalogue.catalogue import Catalogue
from retrieval_service.catalogue.database import Database
from retrieval_service.catalogue.images import Images
from retrieval_service.catalogue.media_vectors import MediaVectors
from retrieval_service.catalogue.store import Store
from retrieval_service.catalogue.vectors import Vectors
from retrieval_service.catalogue.view import View
from retrieval_service.courtesy import Courtesy
from retrieval_service.encoder import Encoder
from retrieval_service.index.follower import Follower
from retrieval_service.index.indexer import Indexer
from retrieval_service.index.ledger import Ledger
from retrieval_service.index.milvus import Milvus
from retrieval_service.pipeline import RetrievePipeline
from retrieval_service.releases import Releases
from retrieval_service.servicer import CatalogServicer, RetrievalServicer
from retrieval_service.settings import Settings
from retrieval_service.user_encoder import UserEncoder
from retrieval_service.validation import LIMITS
from serving.audit import AuditLog
from serving.image_encoder import ImageEncoder
from serving.info import InfoServicer
from serving.release_loader import LoaderServicer
from serving.server import Health, Parts
from serving.text_encoder import TextEncoder
from tandem.v1 import (
    catalog_service_pb2,
    catalog_service_pb2_grpc,
    info_service_pb2,
    info_service_pb2_grpc,
    release_service_pb2,
    release_service_pb2_grpc,
    retrieval_service_pb2,
    retrieval_service_pb2_grpc,
)

SERVICES = (
    catalog_service_pb2.DESCRIPTOR.services_by_name["CatalogService"],
    info_service_pb2.DESCRIPTOR.services_by_name["InfoService"],
    release_service_pb2.DESCRIPTOR.services_by_name["ReleaseLoaderService"],
    retrieval_service_pb2.DESCRIPTOR.services_by_name["RetrievalService"],
)


def retrieval_parts(settings: Settings) -> Parts:
    """Return what `run_server` enters."""

    @asynccontextmanager
    async def parts(server: grpc.aio.Server, health: Health) -> AsyncIterator[None]:
        audit = AuditLog(settings.audit_file) if settings.policy_file else None
        rules = FollowedPolicy(settings.policy_file, audit)
        database = await asyncio.to_thread(Database, settings.database_url)
        store = Store(database)
        view = View(store, rules.policy)
        await view.refresh()
        text_encoder = TextEncoder(settings.triton_target)
        user_encoder = UserEncoder(settings.triton_target)
        image_encoder = ImageEncoder(settings.triton_target)
        courtesy = Courtesy()
        encoder = Encoder(text_encoder, settings.encode_timeout_s, courtesy, settings.words_kept)
        vectors = Vectors(store, encoder)
        media = MediaVectors(store)
        milvus = Milvus(settings.milvus_uri, settings.milvus_token)
        holder = f"{socket.gethostname()}:{settings.port}"
        ledger = Ledger(database, holder)
        follower = Follower(store, view, ledger, milvus, courtesy, settings.exact_items_max)
        indexer = Indexer(follower, view, ledger, milvus)
        releases = Releases(vectors, media, indexer, user_encoder, health.set_ready)
        images = Images(store, image_encoder, settings.encode_timeout_s)
        catalogue = Catalogue(store, vectors, images, view)
        pipeline = RetrievePipeline(
            releases.shelf, view, vectors, media, indexer, encoder, user_encoder, rules
        )
        retrieval_service_pb2_grpc.add_RetrievalServiceServicer_to_server(
            RetrievalServicer(pipeline, courtesy), server
        )
        catalog_service_pb2_grpc.add_CatalogServiceServicer_to_server(
            CatalogServicer(catalogue), server
        )
        release_service_pb2_grpc.add_ReleaseLoaderServiceServicer_to_server(
            LoaderServicer(releases.shelf), server
        )
        info_service_pb2_grpc.add_InfoServiceServicer_to_server(
            InfoServicer("retrieval", LIMITS, releases.infos), server
        )
        tasks = [
            asyncio.create_task(view.follow(settings.follow_interval_s)),
            asyncio.create_task(indexer.run(settings.index_interval_s)),
            asyncio.create_task(rules.follow(settings.policy_interval_s, view.enforce)),
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await milvus.close()
            await text_encoder.close()
            await user_encoder.close()
            await image_encoder.close()
            await asyncio.to_thread(database.close)
            if audit is not None:
                await asyncio.to_thread(audit.close)

    return parts
