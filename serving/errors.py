"""The exceptions that services raise, and the one table that makes gRPC statuses of them."""

from dataclasses import dataclass
from datetime import timedelta

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from tandem.v1 import error_reason_pb2
from tandem.v1.error_reason_pb2 import ErrorReason

DOMAIN = "tandem.v1"
# Status details travel in the trailers, for which peers allow 8 KiB by default.
MESSAGE_BYTES_MAX = 1024


class TandemError(Exception):
    """An error that callers may see. Its text and metadata hold no user data."""

    def metadata(self) -> dict[str, str]:
        """Return the ErrorInfo metadata."""
        return {}

    def retry_after_s(self) -> float | None:
        """Return the seconds after which a retry may help, None if it never does."""
        return None


class InvalidField(TandemError):
    """A field of the request is malformed or out of its range; `problem` names the limit."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem

    def metadata(self) -> dict[str, str]:
        """Return field and problem."""
        return {"field": self.field, "problem": self.problem}


class NotFound(TandemError):
    """The named thing does not exist."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} does not exist")


class VersionMismatch(TandemError):
    """The pinned release is not loaded here."""

    def __init__(self, release_id: str) -> None:
        super().__init__(f"release {release_id!r} is not loaded here")
        self.release_id = release_id

    def metadata(self) -> dict[str, str]:
        """Return the release."""
        return {"release_id": self.release_id}


class DependencyUnavailable(TandemError):
    """A part that the answer cannot do without is down."""

    def __init__(self, dependency: str, detail: str) -> None:
        super().__init__(f"{dependency} is unavailable: {detail}")
        self.dependency = dependency

    def metadata(self) -> dict[str, str]:
        """Return the dependency."""
        return {"dependency": self.dependency}

    def retry_after_s(self) -> float:
        """Return 1 second."""
        return 1.0


class Overloaded(TandemError):
    """There is more work than can be finished in time."""

    def __init__(self, retry_after_s: float) -> None:
        super().__init__(f"overloaded; retry in {retry_after_s:.3g} s")
        self._retry_after_s = retry_after_s

    def retry_after_s(self) -> float:
        """Return when the backlog will have been worked off."""
        return self._retry_after_s


class ReleaseUnusable(TandemError):
    """A release directory is missing, incomplete, altered or of another format."""


class StorageUnavailable(TandemError):
    """The storage refused a read or a write. A refused write stored nothing."""

    def __init__(self, detail: str) -> None:
        super().__init__(f"the storage is unavailable: {detail}")

    def retry_after_s(self) -> float:
        """Return 1 second."""
        return 1.0


class DeadlineExceeded(TandemError):
    """The time left was not enough."""

    def __init__(self) -> None:
        super().__init__("the time left was not enough")


class Internal(TandemError):
    """A fault of ours; the log holds the details."""

    def __init__(self) -> None:
        super().__init__("internal error; the server's log holds the details")


@dataclass(frozen=True)
class Kind:
    """What callers see of an exception class."""

    code: grpc.StatusCode
    reason: ErrorReason.ValueType


KINDS: dict[type[TandemError], Kind] = {
    InvalidField: Kind(
        grpc.StatusCode.INVALID_ARGUMENT, error_reason_pb2.ERROR_REASON_INVALID_FIELD
    ),
    NotFound: Kind(grpc.StatusCode.NOT_FOUND, error_reason_pb2.ERROR_REASON_NOT_FOUND),
    VersionMismatch: Kind(
        grpc.StatusCode.FAILED_PRECONDITION, error_reason_pb2.ERROR_REASON_VERSION_MISMATCH
    ),
    DependencyUnavailable: Kind(
        grpc.StatusCode.UNAVAILABLE, error_reason_pb2.ERROR_REASON_DEPENDENCY_UNAVAILABLE
    ),
    Overloaded: Kind(grpc.StatusCode.RESOURCE_EXHAUSTED, error_reason_pb2.ERROR_REASON_OVERLOADED),
    ReleaseUnusable: Kind(
        grpc.StatusCode.FAILED_PRECONDITION, error_reason_pb2.ERROR_REASON_RELEASE_UNUSABLE
    ),
    StorageUnavailable: Kind(
        grpc.StatusCode.UNAVAILABLE, error_reason_pb2.ERROR_REASON_STORAGE_UNAVAILABLE
    ),
    DeadlineExceeded: Kind(
        grpc.StatusCode.DEADLINE_EXCEEDED, error_reason_pb2.ERROR_REASON_DEADLINE_EXCEEDED
    ),
    Internal: Kind(grpc.StatusCode.INTERNAL, error_reason_pb2.ERROR_REASON_INTERNAL),
}


def status_of(error: TandemError) -> grpc.Status:
    """Return an error's gRPC status, with exactly one ErrorInfo, and RetryInfo where it helps."""
    kind = KINDS[type(error)]
    name = error_reason_pb2.ErrorReason.Name(kind.reason)
    details = [
        error_details_pb2.ErrorInfo(
            reason=name.removeprefix("ERROR_REASON_"),
            domain=DOMAIN,
            metadata={key: _cut(value) for key, value in error.metadata().items()},
        )
    ]
    retry_after_s = error.retry_after_s()
    if retry_after_s is not None:
        delay = duration_pb2.Duration()
        delay.FromTimedelta(timedelta(seconds=retry_after_s))
        details.append(error_details_pb2.RetryInfo(retry_delay=delay))
    status = status_pb2.Status(code=kind.code.value[0], message=_cut(str(error)))
    for detail in details:
        packed = any_pb2.Any()
        packed.Pack(detail)
        status.details.append(packed)
    return rpc_status.to_status(status)


def _cut(text: str) -> str:
    """Return one line of at most MESSAGE_BYTES_MAX bytes."""
    line = " ".join(text.split())
    return line.encode()[:MESSAGE_BYTES_MAX].decode(errors="ignore")
