"""`Connection`: attempts to connect, one after the other, and what is left of them: nothing."""

import errno
import os
import socket
import struct
from pathlib import Path

import pytest

from fastvrrp.track.connection import Connection


def local(port: int) -> bytes:
    packed = socket.inet_aton("127.0.0.1")
    return struct.pack("=H", socket.AF_INET) + struct.pack("!H4s8x", port, packed)


def descriptors() -> list[str]:
    return os.listdir("/proc/self/fd")


@pytest.mark.parametrize("address", [b"", b"\x02\x00", bytes(200), "text"])
def test_an_address_has_a_size_and_a_refused_one_closes_nothing(address: object) -> None:
    before = descriptors()
    with pytest.raises((ValueError, TypeError)):
        Connection(address)  # type: ignore[arg-type]  # that is the point
    assert descriptors() == before


def test_attempts_follow_the_service_and_leave_nothing_behind() -> None:
    before = descriptors()
    with socket.socket() as service:
        service.bind(("127.0.0.1", 0))
        connection = Connection(local(service.getsockname()[1]))
        assert connection.attempt() == errno.ECONNREFUSED
        service.listen(1)
        assert [connection.attempt() for _ in range(100)] == [0] * 100  # far more than the backlog
        assert connection.fileno() == -1  # nothing is waited for
        service.close()
        assert connection.attempt() == errno.ECONNREFUSED
        assert connection.attempt() == errno.ECONNREFUSED
    connection.close()
    connection.close()
    assert descriptors() == before


def test_no_connection_lingers() -> None:
    with socket.socket() as service:
        service.bind(("127.0.0.1", 0))
        port = service.getsockname()[1]
        service.listen(1)
        connection = Connection(local(port))
        assert [connection.attempt() for _ in range(10)] == [0] * 10
        states = [
            line.split()[3]
            for line in Path("/proc/net/tcp").read_text().splitlines()[1:]
            if line.split()[1].endswith(f":{port:04X}") or line.split()[2].endswith(f":{port:04X}")
        ]
        assert states == ["0A"]  # LISTEN, and no TIME_WAIT


def test_a_unix_socket_is_connected_to_anew_each_time(tmp_path: Path) -> None:
    before = descriptors()
    path = tmp_path / "s"
    connection = Connection(struct.pack("=H", socket.AF_UNIX) + os.fsencode(path) + b"\0")
    assert connection.attempt() == errno.ENOENT
    with socket.socket(socket.AF_UNIX) as service:
        service.bind(str(path))
        service.listen(8)
        assert [connection.attempt() for _ in range(5)] == [0] * 5
    assert connection.attempt() == errno.ECONNREFUSED
    assert descriptors() == before


def test_a_connection_that_is_not_known_yet_is_waited_for_or_given_up() -> None:
    before = descriptors()
    with socket.socket() as service:
        service.bind(("127.0.0.1", 0))
        service.listen(0)
        address = local(service.getsockname()[1])
        with socket.create_connection(service.getsockname()):  # the backlog is full
            connection = Connection(address)
            assert connection.attempt() == -1
            assert connection.fileno() >= 0
            assert connection.outcome() == -1
            connection.close()
            assert connection.fileno() == -1
            assert connection.attempt() == -1
            del connection
    assert descriptors() == before
