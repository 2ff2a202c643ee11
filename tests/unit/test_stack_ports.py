"""Ports: free or not."""

import socket

import pytest

from tandem_cli.stack.ports import LOOPBACK, PortInUse, free_port, free_ports, require_free


def test_a_port_in_use_is_named_with_its_purpose() -> None:
    with socket.create_server((LOOPBACK, 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(PortInUse, match=rf"^port {port} \(Triton gRPC\) is in use"):
            require_free(port, "Triton gRPC")


def test_a_free_port_is_free() -> None:
    require_free(free_port(), "test")


def test_free_ports_differ() -> None:
    assert len(set(free_ports(20))) == 20
