"""What the errors of Tandem's services say."""

from typing import cast

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from tandem.v1 import error_reason_pb2
from tandem.v1.error_reason_pb2 import ErrorReason

DOMAIN = "tandem.v1"
_NAMES = frozenset(error_reason_pb2.ErrorReason.keys())


def reason_of(error: grpc.RpcError) -> tuple[ErrorReason.ValueType, dict[str, str]]:
    """Return an error's reason and its metadata, such as `field` and `problem`.

    Works for errors of synchronous and of asyncio calls. An error that does not come from one of
    Tandem's services, such as a refused connection, has ERROR_REASON_UNSPECIFIED.
    """
    info = error_details_pb2.ErrorInfo()
    # Every error that a channel raises is a call too, though the type does not say so.
    status = rpc_status.from_call(cast(grpc.Call, error))
    for detail in status.details if status is not None else ():
        if detail.Unpack(info) and info.domain == DOMAIN:
            name = f"ERROR_REASON_{info.reason}"
            # A newer server may know reasons that these stubs do not.
            if name in _NAMES:
                return error_reason_pb2.ErrorReason.Value(name), dict(info.metadata)
    return error_reason_pb2.ERROR_REASON_UNSPECIFIED, {}


def retry_after_s(error: grpc.RpcError) -> float | None:
    """Return after how many seconds a retry may help, None where the error does not say."""
    hint = error_details_pb2.RetryInfo()
    status = rpc_status.from_call(cast(grpc.Call, error))
    for detail in status.details if status is not None else ():
        if detail.Unpack(hint):
            return float(hint.retry_delay.ToTimedelta().total_seconds())
    return None
