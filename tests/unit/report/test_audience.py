"""Whom an engine tells: the caller's host first, then every subscriber, whatever they do."""

import asyncio
from dataclasses import dataclass, field, replace
from ipaddress import ip_interface

import pytest

from fastvrrp.config.model import InstanceConfig, VirtualAddress
from fastvrrp.names import Reason, State
from fastvrrp.report.audience import Audience
from fastvrrp.report.change import StateChange

ONE, OTHER, EXCLUDED = (
    VirtualAddress(address=ip_interface(f"192.0.2.{n}/24")) for n in (100, 101, 102)
)
VI_1 = InstanceConfig(name="VI_1", interface="eth0", vrid=1, addresses=(ONE,))


def change(old: State, new: State) -> StateChange:
    return StateChange(
        instance="VI_1", old=old, new=new, reason=Reason.TIMEOUT, at=0, priority=100, text=""
    )


TAKEOVER = change(State.BACKUP, State.ACTIVE)
LOSS = change(State.ACTIVE, State.FAULT)


@dataclass
class Manager:
    """Writes down what it is told, and then raises if it `fails`."""

    told: list[object] = field(default_factory=list)
    fails: bool = False

    def install(self, instance: InstanceConfig) -> None:
        self._take("install", instance)

    def withdraw(self, instance: InstanceConfig) -> None:
        self._take("withdraw", instance)

    def _take(self, what: str, instance: InstanceConfig) -> None:
        self.told.append((what, instance.addresses, instance.excluded))
        if self.fails:
            raise RuntimeError(what)


def test_the_manager_knows_before_the_subscribers() -> None:
    manager = Manager()
    audience = Audience(manager)
    audience.subscribe(manager.told.append)
    for one in (TAKEOVER, LOSS, change(State.FAULT, State.BACKUP)):
        audience.tell(one, VI_1)
    install, withdraw = (("install", (ONE,), ()), ("withdraw", (ONE,), ()))
    assert manager.told[:4] == [install, TAKEOVER, withdraw, LOSS]
    assert len(manager.told) == 5


def test_one_that_raises_keeps_nothing_from_the_others(caplog: pytest.LogCaptureFixture) -> None:
    told: list[StateChange] = []

    def fail(_: StateChange) -> None:
        raise RuntimeError("a subscriber")

    audience = Audience(Manager(fails=True))
    audience.subscribe(fail)
    audience.subscribe(told.append)
    audience.tell(TAKEOVER, VI_1)
    assert told == [TAKEOVER]
    assert audience.errors == 2
    assert [record.exc_info is not None for record in caplog.records] == [True, True]


def test_a_subscription_ends_even_while_changes_are_told() -> None:
    told: list[StateChange] = []
    audience = Audience(None)
    end = audience.subscribe(lambda _: end())
    audience.subscribe(told.append)
    audience.tell(TAKEOVER, VI_1)
    audience.tell(LOSS, VI_1)
    assert told == [TAKEOVER, LOSS]
    assert audience.errors == 0  # a second end() would have raised


def test_changed_addresses_alone_are_told_what_goes_first() -> None:
    manager = Manager()
    audience = Audience(manager)
    now = replace(VI_1, addresses=(OTHER,), excluded=(EXCLUDED,))
    audience.tell_addresses(VI_1, VI_1)
    assert manager.told == []
    audience.tell_addresses(VI_1, now)
    assert manager.told == [("withdraw", (ONE,), ()), ("install", (OTHER,), (EXCLUDED,))]


def test_changes_are_all_that_come_from_now_on() -> None:
    async def scenario() -> None:
        audience = Audience(None)
        audience.tell(LOSS, VI_1)
        stream = audience.changes()
        first = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0)
        audience.tell(TAKEOVER, VI_1)
        audience.tell(LOSS, VI_1)
        assert await first == TAKEOVER
        assert await anext(stream) == LOSS

    asyncio.run(scenario())
