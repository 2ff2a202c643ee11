"""Answers GetInfo for every service."""

from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import PackageNotFoundError, version

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from tandem.v1 import info_service_pb2_grpc
from tandem.v1.info_service_pb2 import GetInfoRequest, GetInfoResponse, Limit, ReleaseInfo


def tandem_version() -> str:
    """Return the version of the installed server distribution, "0" where it is not installed."""
    try:
        return version("tandem-recsys")
    except PackageNotFoundError:
        return "0"


class InfoServicer(info_service_pb2_grpc.InfoServiceServicer):
    """Serves GetInfo. `pointer`, which only the gateway has, gives current and previous release."""

    def __init__(
        self,
        service: str,
        limits: Sequence[Limit],
        releases: Callable[[], Iterable[ReleaseInfo]],
        pointer: Callable[[], tuple[str, str]] = lambda: ("", ""),
    ) -> None:
        self._service = service
        self._limits = limits
        self._releases = releases
        self._pointer = pointer
        self._version = tandem_version()
        self._start_time = Timestamp()
        self._start_time.GetCurrentTime()

    async def GetInfo(  # noqa: N802  # named by the contract
        self,
        request: GetInfoRequest,  # noqa: ARG002
        context: grpc.ServicerContext,  # noqa: ARG002
    ) -> GetInfoResponse:
        """Return version, releases and limits."""
        current, previous = self._pointer()
        return GetInfoResponse(
            service=self._service,
            version=self._version,
            releases=self._releases(),
            current_release_id=current,
            previous_release_id=previous,
            limits=self._limits,
            start_time=self._start_time,
        )
