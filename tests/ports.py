"""Ports of this machine that nobody listens at, for servers in processes of their own."""

from __future__ import annotations

import contextlib
import socket


def free_ports(count: int) -> list[int]:
    """Ports that were free a moment ago, no two of them the same."""
    with contextlib.ExitStack() as stack:
        found = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [int(one.getsockname()[1]) for one in found]


def free_port() -> int:
    """One of them."""
    return free_ports(1)[0]
