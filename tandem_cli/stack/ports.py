"""Ports of this machine: is one free, which one is."""

import socket
from dataclasses import asdict, dataclass, fields

from tandem_cli.failure import CommandFailed

LOOPBACK = "127.0.0.1"


class PortInUse(CommandFailed):
    """Something else listens on a port that is needed."""

    def __init__(self, port: int, purpose: str) -> None:
        super().__init__(f"port {port} ({purpose}) is in use; stop what uses it or choose another")
        self.port = port


def require_free(port: int, purpose: str, host: str = LOOPBACK) -> None:
    """Raise PortInUse if a server could not listen on `host:port` now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: connections that were closed a moment ago are no hindrance.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError as error:
            raise PortInUse(port, purpose) from error


def free_ports(count: int, host: str = LOOPBACK) -> list[int]:
    """Return different ports that are free now."""
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_STREAM) for _ in range(count)]
    try:
        for each in sockets:
            each.bind((host, 0))
        return [int(each.getsockname()[1]) for each in sockets]
    finally:
        for each in sockets:
            each.close()


@dataclass(frozen=True)
class Ports:
    """Where each part of a stack listens, on the loopback interface."""

    gateway: int = 50051
    retrieval: int = 50052
    ranking: int = 50053
    triton_http: int = 8000
    triton_grpc: int = 8001
    triton_metrics: int = 8002
    milvus: int = 19530

    def options(self) -> list[str]:
        """Return the ports as `tandem up` takes them."""
        named = ((name.replace("_", "-"), port) for name, port in asdict(self).items())
        return [part for name, port in named for part in (f"--{name}-port", str(port))]


def free_stack_ports() -> Ports:
    """Return different ports that are free now, for all parts of a stack."""
    names = [field.name for field in fields(Ports)]
    return Ports(**dict(zip(names, free_ports(len(names)), strict=True)))


def free_port(host: str = LOOPBACK) -> int:
    """Return a port that is free now."""
    return free_ports(1, host)[0]
