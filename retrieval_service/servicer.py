"""The contracts of the retrieval service, without logic."""

from collections.abc import AsyncIterable

import grpc

from retrieval_service.catalogue.catalogue import Catalogue
from retrieval_service.courtesy import Courtesy
from retrieval_service.pipeline import RetrievePipeline
from serving.stages import Deadline
from tandem.v1 import (
    catalog_service_pb2_grpc,
    retrieval_service_pb2_grpc,
)
from tandem.v1.catalog_service_pb2 import (
    BatchGetItemsRequest,
    BatchGetItemsResponse,
    DeleteItemsRequest,
    DeleteItemsResponse,
    GetUpsertProgressRequest,
    GetUpsertProgressResponse,
    ListItemsRequest,
    ListItemsResponse,
    UpsertItemsRequest,
    UpsertItemsResponse,
)
from tandem.v1.retrieval_service_pb2 import RetrieveRequest, RetrieveResponse


class RetrievalServicer(retrieval_service_pb2_grpc.RetrievalServiceServicer):
    """Serves Retrieve."""

    def __init__(self, pipeline: RetrievePipeline, courtesy: Courtesy) -> None:
        self._pipeline = pipeline
        self._courtesy = courtesy

    async def Retrieve(
        self, request: RetrieveRequest, context: grpc.ServicerContext
    ) -> RetrieveResponse:
        with self._courtesy.request():
            return await self._pipeline.retrieve(request, Deadline.of(context))


class CatalogServicer(catalog_service_pb2_grpc.CatalogServiceServicer):
    """Serves the catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    async def UpsertItems(
        self,
        request_iterator: AsyncIterable[UpsertItemsRequest],
        context: grpc.ServicerContext,
    ) -> UpsertItemsResponse:
        return await self._catalogue.upsert(request_iterator)

    async def GetUpsertProgress(
        self, request: GetUpsertProgressRequest, context: grpc.ServicerContext
    ) -> GetUpsertProgressResponse:
        number = await self._catalogue.progress(request.upsert_id)
        return GetUpsertProgressResponse(batch_number=number)

    async def DeleteItems(
        self, request: DeleteItemsRequest, context: grpc.ServicerContext
    ) -> DeleteItemsResponse:
        return await self._catalogue.delete(request.item_ids)

    async def BatchGetItems(
        self, request: BatchGetItemsRequest, context: grpc.ServicerContext
    ) -> BatchGetItemsResponse:
        return BatchGetItemsResponse(items=await self._catalogue.get(request.item_ids))

    async def ListItems(
        self, request: ListItemsRequest, context: grpc.ServicerContext
    ) -> ListItemsResponse:
        return await self._catalogue.page(
            request.page_size, request.page_token, with_vectors=request.with_vectors
        )
