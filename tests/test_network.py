"""The suite runs without a network, and would notice if it had one."""

from __future__ import annotations

import socket

import pytest

from tests.conftest import NetworkUsed


@pytest.mark.parametrize("address", [("192.0.2.1", 80), ("example.com", 443), ("2001:db8::1", 80, 0, 0)])
def test_no_test_connects_to_another_machine(address) -> None:
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family) as one, pytest.raises(NetworkUsed, match="tests do without"):
        one.connect(address)
    with socket.socket(family) as one, pytest.raises(NetworkUsed):
        one.connect_ex(address)
    with pytest.raises(NetworkUsed):
        socket.create_connection(address[:2], timeout=1)
    with pytest.raises(NetworkUsed):
        socket.getaddrinfo(address[0], 80)


def test_this_machine_may_be_talked_to() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        client.sendall(b"x")
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(b"y")
        assert theirs.recv(1) == b"y"
