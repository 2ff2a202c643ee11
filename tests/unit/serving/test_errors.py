import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from grpc_status.rpc_status import GRPC_DETAILS_METADATA_KEY

from serving.errors import (
    KINDS,
    DeadlineExceeded,
    DependencyUnavailable,
    Internal,
    InvalidField,
    NotFound,
    Overloaded,
    ReleaseUnusable,
    StorageUnavailable,
    TandemError,
    VersionMismatch,
    status_of,
)
from tandem.v1 import error_reason_pb2

ERRORS: list[tuple[TandemError, grpc.StatusCode, str, dict[str, str], float | None]] = [
    (
        InvalidField("text", "too long"),
        grpc.StatusCode.INVALID_ARGUMENT,
        "INVALID_FIELD",
        {"field": "text", "problem": "too long"},
        None,
    ),
    (NotFound("user"), grpc.StatusCode.NOT_FOUND, "NOT_FOUND", {}, None),
    (
        VersionMismatch("r1"),
        grpc.StatusCode.FAILED_PRECONDITION,
        "VERSION_MISMATCH",
        {"release_id": "r1"},
        None,
    ),
    (
        DependencyUnavailable("milvus", "refused"),
        grpc.StatusCode.UNAVAILABLE,
        "DEPENDENCY_UNAVAILABLE",
        {"dependency": "milvus"},
        1.0,
    ),
    (Overloaded(0.25), grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED", {}, 0.25),
    (ReleaseUnusable("x"), grpc.StatusCode.FAILED_PRECONDITION, "RELEASE_UNUSABLE", {}, None),
    (StorageUnavailable("full"), grpc.StatusCode.UNAVAILABLE, "STORAGE_UNAVAILABLE", {}, 1.0),
    (DeadlineExceeded(), grpc.StatusCode.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED", {}, None),
    (Internal(), grpc.StatusCode.INTERNAL, "INTERNAL", {}, None),
]


def details_of(error: TandemError) -> status_pb2.Status:
    status = status_of(error)
    ((key, value),) = status.trailing_metadata
    assert key == GRPC_DETAILS_METADATA_KEY
    details: status_pb2.Status = status_pb2.Status.FromString(value)
    assert details.message == status.details
    return details


@pytest.mark.parametrize(("error", "code", "reason", "metadata", "retry_s"), ERRORS)
def test_each_error_carries_one_error_info_and_a_retry_where_it_helps(
    error: TandemError,
    code: grpc.StatusCode,
    reason: str,
    metadata: dict[str, str],
    retry_s: float | None,
) -> None:
    assert status_of(error).code == code
    details = details_of(error).details
    info = error_details_pb2.ErrorInfo()
    assert details[0].Unpack(info)
    assert (info.reason, info.domain, dict(info.metadata)) == (reason, "tandem.v1", metadata)
    retry = error_details_pb2.RetryInfo()
    if retry_s is None:
        assert len(details) == 1
    else:
        assert details[1].Unpack(retry)
        assert retry.retry_delay.ToTimedelta().total_seconds() == retry_s
        assert len(details) == 2


def test_the_table_has_every_error_and_every_reason() -> None:
    assert set(KINDS) == {type(error) for error, *_ in ERRORS}
    reasons = {kind.reason for kind in KINDS.values()}
    assert reasons == set(error_reason_pb2.ErrorReason.values()) - {0}


def test_messages_are_one_short_line() -> None:
    message = details_of(ReleaseUnusable("line\nline " + "é" * 10_000)).message
    assert "\n" not in message
    assert len(message.encode()) <= 1024
