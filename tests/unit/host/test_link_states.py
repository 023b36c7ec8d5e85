"""Which interfaces count as up: delays of `interface_up_down_delays`, absence, polled links."""

import errno
import logging
import random
import struct
from collections.abc import Callable, Iterator

import pytest

from fastvrrp.clock import milliseconds, seconds
from fastvrrp.config.model import InterfaceDelay, LinkbeatMethod
from fastvrrp.host.link_states import LinkStates
from fastvrrp.host.linkbeat import SIOCGIFFLAGS
from fastvrrp.host.links import Link
from manualtime import ManualLoop

UP, DOWN, NO_CARRIER = 0x41, 0x00, 0x01


class Fixture:
    """One interface, eth0, whose flags the test sets; None: it is not there."""

    def __init__(
        self,
        flags: int | None,
        *,
        down: int = 0,
        up: int = 0,
        linkbeat: dict[str, LinkbeatMethod | None] | None = None,
    ) -> None:
        self.loop = ManualLoop()
        self.flags = flags
        self.changes = 0
        self.polled = 0
        delay = InterfaceDelay(interface="eth0", down=seconds(down), up=seconds(up))
        self.states = LinkStates(
            self,
            loop=self.loop,
            names=["eth0"],
            delays={"eth0": delay},
            linkbeat=linkbeat or {},
            on_change=self.on_change,
            ioctl=self.ioctl,
        )

    def on_change(self) -> None:
        self.changes += 1

    def ioctl(self, _: int, number: int, request: bytearray) -> int:
        if number != SIOCGIFFLAGS:
            raise OSError(errno.EOPNOTSUPP, "not supported")
        struct.pack_into("@H", request, 16, self.polled)
        return 0

    def link(self, name: str) -> Link | None:
        if self.flags is None:
            return None
        return Link(index=2, generation=1, name=name, flags=self.flags, mac=bytes(6), mtu=1500)

    @property
    def up(self) -> bool:
        return self.states.up("eth0")

    def becomes(self, flags: int | None) -> bool:
        """Let the kernel tell of a change, and return what counts right after it."""
        self.flags = flags
        self.states.update()
        return self.up

    def after(self, duration: int) -> bool:
        self.loop.advance(duration)
        return self.up


Watch = Callable[..., Fixture]


@pytest.fixture
def watch() -> Iterator[Watch]:
    made: list[Fixture] = []

    def make(
        flags: int | None,
        *,
        down: int = 0,
        up: int = 0,
        linkbeat: dict[str, LinkbeatMethod | None] | None = None,
    ) -> Fixture:
        made.append(Fixture(flags, down=down, up=up, linkbeat=linkbeat))
        return made[-1]

    yield make
    for one in made:
        one.states.close()


@pytest.fixture(autouse=True)
def details(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "fastvrrp")


@pytest.mark.parametrize(
    ("flags", "up"), [(UP, True), (DOWN, False), (NO_CARRIER, False), (0x40, False), (None, False)]
)
def test_up_is_what_is_administratively_up_and_has_carrier(
    watch: Watch, flags: int | None, up: bool
) -> None:
    assert watch(flags).up is up


def test_without_a_delay_changes_count_at_once(watch: Watch) -> None:
    eth0 = watch(UP)
    assert not eth0.becomes(NO_CARRIER)
    assert eth0.becomes(UP)
    assert eth0.loop.waiting == 0


def test_a_loss_counts_after_its_delay(watch: Watch, caplog: pytest.LogCaptureFixture) -> None:
    eth0 = watch(UP, down=2)
    assert eth0.becomes(NO_CARRIER)
    assert eth0.after(seconds(2) - 1)
    assert eth0.changes == 0
    assert not eth0.after(1)
    assert eth0.changes == 1
    assert caplog.messages == [
        "eth0: Adding flags change from 0x41 to 0x1 delay by 2000000",
        "Netlink reports eth0 down",
    ]


def test_a_link_that_is_back_within_the_delay_was_never_down(
    watch: Watch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    eth0 = watch(UP, down=2)
    eth0.becomes(NO_CARRIER)
    eth0.after(seconds(1))
    assert eth0.becomes(UP)
    assert eth0.after(seconds(60))
    assert eth0.changes == 0
    assert caplog.messages[-1] == "Delay timer for eth0 cancelled"


def test_further_news_of_a_link_that_stays_down_does_not_prolong_the_delay(watch: Watch) -> None:
    eth0 = watch(UP, down=2)
    eth0.becomes(NO_CARRIER)
    eth0.after(seconds(1))
    assert eth0.becomes(DOWN)
    assert not eth0.after(seconds(1))


def test_a_return_counts_after_its_delay_but_not_the_first_time(watch: Watch) -> None:
    eth0 = watch(DOWN, up=3)
    assert eth0.becomes(UP)
    assert not eth0.becomes(DOWN)
    assert not eth0.becomes(UP)
    assert not eth0.after(seconds(3) - 1)
    assert eth0.after(1)
    assert eth0.changes == 1


def test_a_loss_within_the_delay_of_the_return_cancels_it(watch: Watch) -> None:
    eth0 = watch(UP, up=3)
    eth0.becomes(DOWN)
    eth0.becomes(UP)
    eth0.after(seconds(2))
    assert not eth0.becomes(DOWN)
    assert not eth0.after(seconds(60))
    assert eth0.changes == 0


def test_an_interface_that_vanishes_is_down_at_once(
    watch: Watch, caplog: pytest.LogCaptureFixture
) -> None:
    eth0 = watch(UP, down=2, up=2)
    assert not eth0.becomes(None)
    assert not eth0.becomes(None)
    assert not eth0.becomes(UP)  # it was up before
    assert eth0.after(seconds(2))
    assert caplog.messages[:2] == ["Interface eth0 deleted", "Interface eth0 added"]


def test_an_interface_that_vanishes_within_a_delay_ends_it(watch: Watch) -> None:
    eth0 = watch(UP, down=2)
    eth0.becomes(NO_CARRIER)
    assert not eth0.becomes(None)
    assert eth0.loop.waiting == 0


def test_the_polled_answer_replaces_the_carrier_of_the_kernel(watch: Watch) -> None:
    """Given a driver that always tells of a carrier, when the answer to linkbeat is that there is
    none, then the link is down within a second; an interface that is not up is down anyway."""
    eth0 = watch(UP, linkbeat={"eth0": None})
    assert not eth0.up
    eth0.polled = 0x40
    assert not eth0.becomes(UP)
    assert eth0.after(seconds(1))
    assert eth0.changes == 1
    assert not eth0.becomes(0x40)


def test_polled_answers_are_delayed_too(watch: Watch) -> None:
    eth0 = watch(UP, down=2, linkbeat={"eth0": LinkbeatMethod.IOCTL})
    eth0.polled = 0x40
    assert eth0.after(seconds(1))
    eth0.polled = 0
    assert eth0.after(seconds(3) - 1)  # asked after 1 s, and 2 s later it counts
    assert not eth0.after(1)


def test_others_are_as_the_kernel_says(watch: Watch) -> None:
    links = watch(UP, down=2)
    links.flags = DOWN
    assert not links.states.up("eth1")
    links.flags = UP
    assert links.states.up("eth1")
    links.flags = None
    assert not links.states.up("eth1")


def configure(
    eth0: Fixture,
    *names: str,
    down: int = 0,
    linkbeat: dict[str, LinkbeatMethod | None] | None = None,
) -> None:
    delay = InterfaceDelay(interface="eth0", down=seconds(down), up=seconds(0))
    eth0.states.configure(names=names, delays={"eth0": delay}, linkbeat=linkbeat or {})


def test_a_delay_that_runs_survives_a_reload_and_the_next_one_is_new(watch: Watch) -> None:
    eth0 = watch(UP, down=3)
    assert eth0.becomes(DOWN)
    assert eth0.after(seconds(2))
    configure(eth0, "eth0", "eth1", down=5)
    assert eth0.after(seconds(1) - 1)
    assert not eth0.after(1)
    assert eth0.becomes(UP)
    assert eth0.becomes(DOWN)
    assert eth0.after(seconds(5) - 1)
    assert not eth0.after(1)


def test_an_interface_that_does_not_matter_any_more_has_no_delay(watch: Watch) -> None:
    eth0 = watch(UP, down=3)
    eth0.becomes(DOWN)
    configure(eth0)
    assert not eth0.up
    assert eth0.loop.waiting == 0


def test_an_interface_that_matters_from_now_on_counts_as_it_is(
    watch: Watch, caplog: pytest.LogCaptureFixture
) -> None:
    eth0 = watch(UP)
    configure(eth0)
    eth0.flags = DOWN
    configure(eth0, "eth0", down=9)
    assert not eth0.up
    assert eth0.becomes(UP)
    assert caplog.messages == ["Netlink reports eth0 up"]


def test_polling_begins_and_ends_with_a_reload(watch: Watch) -> None:
    eth0 = watch(UP)
    configure(eth0, "eth0", linkbeat={"eth0": LinkbeatMethod.IOCTL})
    assert not eth0.up
    assert eth0.loop.waiting == 1
    configure(eth0, "eth0")
    assert eth0.up
    assert eth0.loop.waiting == 0
    assert eth0.changes == 0


def test_nothing_runs_after_the_end(watch: Watch) -> None:
    eth0 = watch(UP, down=2, linkbeat={"eth0": LinkbeatMethod.IOCTL})
    eth0.polled = 0x40
    eth0.after(seconds(1))
    eth0.becomes(DOWN)
    eth0.states.close()
    assert eth0.loop.waiting == 0
    eth0.states.close()


@pytest.mark.parametrize("seed", range(20))
def test_delays_equal_a_plain_model(watch: Watch, seed: int) -> None:
    """What counts is the last state that held for its delay, whatever happened in between."""
    rng = random.Random(seed)
    down, up = rng.randint(1, 3), rng.randint(0, 3)
    eth0 = watch(UP, down=down, up=up)
    counted, real, since = True, True, 0
    for step in range(300):
        quiet = milliseconds(rng.choice((1, 400, 999, 1000, 1001, 2500)))
        eth0.after(quiet)
        if real != counted and eth0.loop.now - since >= seconds(up if real else down):
            counted = real
        assert eth0.up is counted, (seed, step)
        if rng.random() < 0.5:
            real, since = not real, eth0.loop.now
            eth0.becomes(UP if real else NO_CARRIER)
            if real and not counted and up == 0:
                counted = True
        assert eth0.up is counted, (seed, step)
