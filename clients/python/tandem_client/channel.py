"""Opens channels. Every call to a service of Tandem goes through a channel made here."""

import json

import grpc
import grpc.aio

MESSAGE_BYTES_MAX = 16 * 1024 * 1024
# A second call of these does no harm: it reads, or it is idempotent by id. UpsertItems is resumed
# by its batch numbers instead, and ActivateRelease by calling it again.
_RETRIED = [
    {"service": "tandem.v1.CatalogService", "method": "BatchGetItems"},
    {"service": "tandem.v1.CatalogService", "method": "DeleteItems"},
    {"service": "tandem.v1.CatalogService", "method": "GetUpsertProgress"},
    {"service": "tandem.v1.CatalogService", "method": "ListItems"},
    {"service": "tandem.v1.EventService", "method": "RecordEvents"},
    {"service": "tandem.v1.InfoService", "method": "GetInfo"},
    {"service": "tandem.v1.RankingService", "method": "Rank"},
    {"service": "tandem.v1.RecommenderService", "method": "Recommend"},
    {"service": "tandem.v1.ReleaseLoaderService"},
    {"service": "tandem.v1.ReleaseService", "method": "ListReleases"},
    {"service": "tandem.v1.RetrievalService", "method": "Retrieve"},
    {"service": "tandem.v1.UserService"},
]
SERVICE_CONFIG = {
    "methodConfig": [
        {
            "name": _RETRIED,
            "retryPolicy": {
                "maxAttempts": 3,
                "initialBackoff": "0.02s",
                "maxBackoff": "0.5s",
                "backoffMultiplier": 4,
                "retryableStatusCodes": ["UNAVAILABLE"],
            },
        }
    ],
    # Retries stop while more than half of the recent calls fail: a server that is down is not
    # helped by three times the calls.
    "retryThrottling": {"maxTokens": 10, "tokenRatio": 0.1},
}
OPTIONS: list[tuple[str, str | int]] = [
    ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX),
    ("grpc.max_send_message_length", MESSAGE_BYTES_MAX),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    # A server that comes back is found within seconds, not after gRPC's default of two minutes.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 1_000),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    ("grpc.service_config", json.dumps(SERVICE_CONFIG)),
]


def open_channel(target: str) -> grpc.Channel:
    """Open a channel for synchronous calls to `host:port`. It connects when first used."""
    return grpc.insecure_channel(target, options=OPTIONS)


def open_aio_channel(target: str) -> grpc.aio.Channel:
    """Open a channel for asyncio calls to `host:port`, inside a running event loop."""
    return grpc.aio.insecure_channel(target, options=OPTIONS)
