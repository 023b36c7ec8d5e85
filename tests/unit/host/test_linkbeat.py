"""Asking links for their state: which question, how it is put, and what an answer means."""

import errno
import logging
import os
import socket
import struct
from collections.abc import Callable, Iterator
from ctypes import c_uint32
from typing import Any

import pytest

from fastvrrp.clock import seconds
from fastvrrp.config.model import LinkbeatMethod
from fastvrrp.host.linkbeat import (
    ETHTOOL_GLINK,
    SIOCETHTOOL,
    SIOCGIFFLAGS,
    SIOCGMIIPHY,
    SIOCGMIIREG,
    Linkbeat,
)
from manualtime import ManualLoop

MII, ETHTOOL, IOCTL = LinkbeatMethod
NUMBERS = {MII: SIOCGMIIPHY, ETHTOOL: SIOCETHTOOL, IOCTL: SIOCGIFFLAGS}
PHY = 3


class Card:
    """A network card that answers some questions."""

    def __init__(self, *answers: LinkbeatMethod) -> None:
        self.numbers = {NUMBERS[one] for one in answers} | {SIOCGMIIREG}
        self.link = True
        self.lost_since = False
        self.error: int | None = None
        self.asked: list[int] = []

    def ioctl(self, fd: int, number: int, request: bytearray) -> int:
        assert os.fstat(fd)
        assert len(request) == 40
        assert request[:16].rstrip(b"\0") == b"eth0"
        self.asked.append(number)
        if self.error is not None:
            raise OSError(self.error, os.strerror(self.error))
        if number not in self.numbers:
            raise OSError(errno.EOPNOTSUPP, "not supported")
        if number == SIOCGMIIPHY:
            struct.pack_into("@H", request, 16, PHY)
        elif number == SIOCGMIIREG:
            phy, register = struct.unpack_from("@HH", request, 16)
            assert (phy, register) == (PHY, 1)
            struct.pack_into("@H", request, 22, 0x7809 | 4 * self._read_latched())
        elif number == SIOCETHTOOL:
            self._answer_ethtool(struct.unpack_from("@P", request, 16)[0])
        else:
            struct.pack_into("@H", request, 16, 0x1003 | 0x40 * self.link)
        return 0

    def _read_latched(self) -> bool:
        """The link bit stays 0 after a loss until it has been read once."""
        lost, self.lost_since = self.lost_since, False
        return self.link and not lost

    def _answer_ethtool(self, address: int) -> None:
        command, answer = c_uint32.from_address(address), c_uint32.from_address(address + 4)
        assert command.value == ETHTOOL_GLINK
        answer.value = self.link


class Fixture:
    def __init__(self, card: Card, method: LinkbeatMethod | None = None) -> None:
        self.card = card
        self.loop = ManualLoop()
        self.changes = 0
        self.linkbeat = Linkbeat(
            {"eth0": method}, loop=self.loop, on_change=self.on_change, ioctl=card.ioctl
        )

    def on_change(self) -> None:
        self.changes += 1

    @property
    def running(self) -> bool | None:
        return self.linkbeat.running("eth0")


Watch = Callable[..., Fixture]


@pytest.fixture
def watch() -> Iterator[Watch]:
    made: list[Fixture] = []

    def make(card: Card, method: LinkbeatMethod | None = None) -> Fixture:
        made.append(Fixture(card, method))
        return made[-1]

    yield make
    for one in made:
        one.linkbeat.close()


@pytest.mark.parametrize("method", list(LinkbeatMethod))
def test_each_way_to_ask_tells_the_link(watch: Watch, method: LinkbeatMethod) -> None:
    beat = watch(Card(method), method)
    assert beat.running is True
    beat.card.link = False
    beat.loop.advance(seconds(1) - 1)
    assert beat.running is True
    beat.loop.advance(1)
    assert beat.running is False
    assert beat.changes == 1
    beat.loop.advance(seconds(5))
    assert beat.changes == 1


@pytest.mark.parametrize(
    ("wanted", "known", "used"),
    [
        (None, (MII, ETHTOOL, IOCTL), MII),
        (None, (ETHTOOL, IOCTL), ETHTOOL),
        (None, (IOCTL,), IOCTL),
        (MII, (IOCTL,), IOCTL),
        (ETHTOOL, (MII, ETHTOOL, IOCTL), ETHTOOL),
        (ETHTOOL, (MII, IOCTL), IOCTL),
        (IOCTL, (MII, ETHTOOL, IOCTL), IOCTL),
    ],
)
def test_who_does_not_answer_is_asked_the_next_question(
    watch: Watch,
    wanted: LinkbeatMethod | None,
    known: tuple[LinkbeatMethod, ...],
    used: LinkbeatMethod,
    caplog: pytest.LogCaptureFixture,
) -> None:
    beat = watch(Card(*known), wanted)
    assert beat.running is True
    beat.card.asked.clear()
    beat.loop.advance(seconds(1))
    assert beat.card.asked[0] == NUMBERS[used]  # and not the others again
    warned = wanted not in (None, used)
    texts = [one.message for one in caplog.records if one.levelno == logging.WARNING]
    expected = (
        f"linkbeat: eth0 does not answer {wanted.value}; {used.value} is used" if wanted else ""
    )
    assert texts == ([expected] if warned else [])


def test_a_loss_that_is_over_is_not_taken_for_one_of_now(watch: Watch) -> None:
    beat = watch(Card(MII), MII)
    beat.card.lost_since = True
    beat.loop.advance(seconds(1))
    assert beat.running is True
    assert beat.changes == 0


def test_an_interface_that_is_not_there_has_no_answer_and_is_asked_again(watch: Watch) -> None:
    card = Card(ETHTOOL)
    card.error = errno.ENODEV
    beat = watch(card)
    assert beat.running is None
    assert card.asked == [SIOCGMIIPHY]
    card.error = None
    beat.loop.advance(seconds(1))
    assert beat.running is True


def test_who_answers_nothing_has_no_answer(watch: Watch) -> None:
    assert watch(Card()).running is None


def test_nobody_else_is_asked(watch: Watch) -> None:
    assert watch(Card(MII)).linkbeat.running("eth1") is None


def test_changes_are_logged(watch: Watch, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "fastvrrp")
    beat = watch(Card(IOCTL), IOCTL)
    beat.card.link = False
    beat.loop.advance(seconds(3))
    assert caplog.messages == ["Linkbeat reports eth0 up", "Linkbeat reports eth0 down"]


def test_nothing_is_asked_after_the_end(watch: Watch) -> None:
    beat = watch(Card(MII))
    beat.linkbeat.close()
    beat.card.asked.clear()
    beat.loop.advance(seconds(5))
    assert beat.card.asked == []
    beat.linkbeat.close()


@pytest.mark.parametrize("method", [None, ETHTOOL, IOCTL])
def test_the_kernel_of_this_machine_understands_the_question(method: LinkbeatMethod | None) -> None:
    """Every machine has a loopback interface, and its link is there."""
    names: dict[str, Any] = {name: method for _, name in socket.if_nameindex() if name == "lo"}
    beat = Linkbeat(names, loop=ManualLoop(), on_change=lambda: None)
    assert beat.running("lo") is not None
    beat.close()
