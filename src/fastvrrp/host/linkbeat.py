"""Asking links for their state, for drivers that do not tell (`linkbeat_interfaces`).

Three questions, each an ioctl, the most direct first: the status register of the transceiver (MII),
the driver (ETHTOOL), the kernel's flags (IOCTL). Who does not answer one is asked the next.
"""

import errno
import fcntl
import logging
import socket
import struct
from array import array
from collections.abc import Callable, Iterable, Mapping

from fastvrrp.clock import NS_PER_SECOND, seconds
from fastvrrp.config.model import LinkbeatMethod
from fastvrrp.reactor import Handle, Loop

__all__ = ["Ioctl", "Linkbeat"]

log = logging.getLogger("fastvrrp.host")

Ioctl = Callable[[int, int, bytearray], int]
"""`fcntl.ioctl` with a descriptor, a request, and a buffer that takes the answer."""

POLL_INTERVAL = seconds(1)

_NAME_SIZE = 16  # IFNAMSIZ
_REQUEST_SIZE = 40  # struct ifreq

SIOCGIFFLAGS = 0x8913
SIOCETHTOOL = 0x8946
SIOCGMIIPHY = 0x8947
SIOCGMIIREG = 0x8948

ETHTOOL_GLINK = 0x0A
_IFF_RUNNING = 0x40
_MII_STATUS = 1  # number of the basic mode status register
_MII_LINK = 0x0004

_METHODS = tuple(LinkbeatMethod)
_GONE = (errno.ENODEV, errno.ENXIO)


class Linkbeat:
    """Asks the interfaces in `methods` once a second, on `loop`, if their link is there.

    A method is the one to begin with, None: the first. `on_change` is called when an answer has
    changed.
    """

    def __init__(
        self,
        methods: Mapping[str, LinkbeatMethod | None],
        *,
        loop: Loop,
        on_change: Callable[[], object],
        ioctl: Ioctl = fcntl.ioctl,
    ) -> None:
        self._wanted = dict(methods)
        self._methods = {name: method or _METHODS[0] for name, method in methods.items()}
        self._loop = loop
        self._on_change = on_change
        self._ioctl = ioctl
        self._answers: dict[str, bool | None] = {}
        self._timer: Handle | None = None
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._ask_all()
        self._schedule()

    def close(self) -> None:
        """Stop asking; may be repeated."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._socket.close()

    def running(self, name: str) -> bool | None:
        """Return the last answer of interface `name`, None: it is not asked, or is not there."""
        return self._answers.get(name)

    def _schedule(self) -> None:
        self._timer = self._loop.call_later(POLL_INTERVAL / NS_PER_SECOND, self._tick)

    def _tick(self) -> None:
        self._schedule()
        if self._ask_all():
            self._on_change()

    def _ask_all(self) -> bool:
        """Ask every interface; tell if an answer differs from the last one."""
        before = dict(self._answers)
        for name in self._wanted:
            answer = self._answers[name] = self._ask(name)
            if answer is not None and answer is not before.get(name):
                log.info("Linkbeat reports %s %s", name, "up" if answer else "down")
        return before != self._answers

    def _ask(self, name: str) -> bool | None:
        """Return the answer to the first question that is understood, and stay with that one."""
        for method in _from(self._methods[name]):
            try:
                answer = self._question(name, method)
            except OSError as error:
                if error.errno in _GONE:
                    return None
                continue
            self._settle(name, method)
            return answer
        return None

    def _settle(self, name: str, method: LinkbeatMethod) -> None:
        wanted = self._wanted[name]
        if method is not self._methods[name] and wanted is not None:
            log.warning(
                "linkbeat: %s does not answer %s; %s is used", name, wanted.value, method.value
            )
        self._methods[name] = method

    def _question(self, name: str, method: LinkbeatMethod) -> bool:
        """Ask; raises OSError where the question is not understood."""
        if method is LinkbeatMethod.MII:
            return self._ask_transceiver(name)
        if method is LinkbeatMethod.ETHTOOL:
            return self._ask_driver(name)
        return bool(_unpack_flags(self._call(SIOCGIFFLAGS, _request(name))) & _IFF_RUNNING)

    def _ask_transceiver(self, name: str) -> bool:
        (phy,) = struct.unpack_from("@H", self._call(SIOCGMIIPHY, _request(name)), _NAME_SIZE)
        register = struct.pack("@HH", phy, _MII_STATUS)
        # The bit remembers a loss until it is read: the second reading is of now.
        self._call(SIOCGMIIREG, _request(name, register))
        answer = self._call(SIOCGMIIREG, _request(name, register))
        status: int = struct.unpack_from("@HHHH", answer, _NAME_SIZE)[3]
        return bool(status & _MII_LINK)

    def _ask_driver(self, name: str) -> bool:
        value = array("I", [ETHTOOL_GLINK, 0])  # struct ethtool_value, which the kernel fills in
        self._call(SIOCETHTOOL, _request(name, struct.pack("@P", value.buffer_info()[0])))
        return bool(value[1])

    def _call(self, number: int, request: bytearray) -> bytearray:
        self._ioctl(self._socket.fileno(), number, request)
        return request


def _request(name: str, data: bytes = b"") -> bytearray:
    """Return a struct ifreq."""
    return bytearray((name.encode().ljust(_NAME_SIZE, b"\0") + data).ljust(_REQUEST_SIZE, b"\0"))


def _unpack_flags(answer: bytearray) -> int:
    flags: int = struct.unpack_from("@H", answer, _NAME_SIZE)[0]
    return flags


def _from(method: LinkbeatMethod) -> Iterable[LinkbeatMethod]:
    """Return `method` and those after it."""
    return _METHODS[_METHODS.index(method) :]
