"""Calls a running gateway, and tells its errors in one line."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import grpc
import typer

from tandem.v1 import error_reason_pb2
from tandem_cli.failure import CommandFailed
from tandem_client import TandemClient, reason_of

GATEWAY = "127.0.0.1:50051"
CATALOG = "127.0.0.1:50052"

Target = typer.Option(GATEWAY, envvar="TANDEM_TARGET", help="Address of the gateway.")
CatalogTarget = typer.Option(
    CATALOG, envvar="TANDEM_CATALOG_TARGET", help="Address of the catalogue (retrieval service)."
)


@contextmanager
def calling(target: str, catalog_target: str | None = None) -> Iterator[TandemClient]:
    """Open a client; whatever a call raises becomes CommandFailed."""
    with TandemClient(target, catalog_target) as client:
        try:
            yield client
        except grpc.RpcError as error:
            raise CommandFailed(one_line(error, target, catalog_target)) from error


def one_line(error: grpc.RpcError, target: str, catalog_target: str | None = None) -> str:
    """Say what went wrong and what can be done about it."""
    reason, metadata = reason_of(error)
    call = cast(grpc.Call, error)
    if reason == error_reason_pb2.ERROR_REASON_INVALID_FIELD:
        return f"{metadata.get('field', 'request')}: {metadata.get('problem', call.details())}"
    if reason != error_reason_pb2.ERROR_REASON_UNSPECIFIED:
        return str(call.details())
    if call.code() == grpc.StatusCode.UNAVAILABLE:
        places = target if catalog_target is None else f"{target} or {catalog_target}"
        return f"cannot reach Tandem at {places}; start it with `tandem up`, or name it (--target)"
    if call.code() == grpc.StatusCode.DEADLINE_EXCEEDED:
        return f"{target} did not answer in time"
    return f"{target} answered {call.code().name}: {call.details()}"
