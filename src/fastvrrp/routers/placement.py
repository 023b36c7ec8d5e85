"""Placement: one virtual router's place on this host: interfaces, source address, sockets, and the
bytes of its transitions.

It knows what about the host holds the router back, keeps the hot loop supplied with bytes that fit
the present interfaces, and puts back what somebody else removes. Everything runs on the engine's
cold loop.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from fastvrrp.clock import NS_PER_SECOND, seconds
from fastvrrp.config.model import Address, Config, InstanceConfig
from fastvrrp.errors import EngineError, KernelError
from fastvrrp.host.culprit import name_of
from fastvrrp.host.holding import Holding, Kind
from fastvrrp.host.iproute import names_of
from fastvrrp.host.lacking import no_source
from fastvrrp.host.link_states import LinkStates
from fastvrrp.host.link_users import needed
from fastvrrp.host.links import IFF_UP, Key, Link, LinkTable
from fastvrrp.host.pacing import Pacing
from fastvrrp.host.prepare import (
    Place,
    foreign,
    has_source,
    identity,
    port_key,
    prepare,
    source_of,
    survey,
)
from fastvrrp.host.requests import Requests
from fastvrrp.host.restore import Footings, Restorer, Verdict
from fastvrrp.host.vmac import VirtualLinks
from fastvrrp.host.vmac_plan import advert_mac
from fastvrrp.loop.loop import Loop as HotLoop
from fastvrrp.loop.ports import PortKey
from fastvrrp.loop.prepared import Prepared
from fastvrrp.names import Fault, State
from fastvrrp.reactor import Handle, Loop
from fastvrrp.routers.extra_garp import ExtraGarp, extra_frames
from fastvrrp.routers.sockets import Ports

__all__ = ["Placement", "Shared", "Supply"]

log = logging.getLogger("fastvrrp.vrrp")

_RETRY = seconds(10)
"""From when sockets could not be opened to the next attempt."""


class Shared:
    """What all virtual routers of one engine have in common. `requests` None: the caller sets the
    addresses. A new configuration replaces what hangs on it, see `take()`."""

    def __init__(
        self,
        *,
        loop: Loop,
        hot: HotLoop,
        ports: Ports,
        table: LinkTable,
        made: VirtualLinks,
        states: LinkStates,
        requests: Requests | None,
    ) -> None:
        self.loop = loop
        self.hot = hot
        self.ports = ports
        self.table = table
        self.made = made
        self.states = states
        self.requests = requests
        self.holders: dict[Key, list[Placement]] = {}
        """Who sets what while its router is active."""

    def take(self, config: Config) -> None:
        """Go by `config` from now on."""
        self.common = config.global_defs
        self.names = names_of(config.global_defs)
        self.pacing = Pacing(config)
        self.needed = needed(config)
        """Interfaces whose loss is a fault, by instance."""
        self.virtual = frozenset(
            vip.address.ip for i in config.instances for vip in (*i.addresses, *i.excluded)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Supply:
    """What the hot loop needs of one virtual router at `place`; `port` is the number of the sockets
    of `key`."""

    place: Place
    key: PortKey
    port: int
    prepared: Prepared

    @property
    def has_sockets(self) -> bool:
        """Tell if the hot loop uses the sockets of `key`, see `Placement.let_go`."""
        return self.prepared.fd >= 0


class Placement:
    """The place of the router in `slot` of the hot loop. `supply` is what the hot loop has; None:
    nothing. `faults` are those of the host, in words; `on_change` is called when they change by
    themselves. `is_active` tells if the router is."""

    def __init__(
        self,
        config: InstanceConfig,
        *,
        slot: int,
        shared: Shared,
        on_change: Callable[[], object],
        is_active: Callable[[], bool],
    ) -> None:
        self.slot = slot
        self.faults: dict[Fault, str] = {}
        self.supply: Supply | None = None
        self.held: dict[Key, Holding] = {}
        """What the hot loop sets while the router is active, by its keys."""
        self._shared = shared
        self._on_change = on_change
        self._is_active = is_active
        self._last_link: Link | None = None
        self._surveyed: tuple[object, Place] | None = None
        self._told_missing: tuple[str, ...] = ()
        self._restorer = Restorer()
        self._footings = Footings(shared.table)
        self._lost: list[tuple[Holding, int]] = []
        self._awake: set[int] = set()
        self._extra = ExtraGarp(slot, shared.loop, shared.hot)
        self._timer: Handle | None = None
        self.configure(config)

    def configure(self, config: InstanceConfig) -> None:
        """Go by `config` from now on; the hot loop has the bytes of the old one still."""
        self.config = config
        self._surveyed = None

    # ---- looking ----

    def look(self) -> Place | None:
        """Return where the router is, None while it cannot be anywhere, and update `faults`."""
        shared, config = self._shared, self.config
        link = shared.made.link_of(config)
        source = None
        if link is not None:
            source = source_of(config, link, shared.table, shared.virtual)
        self._judge(link, source)
        if link is None or source is None:
            return None
        seen = (source, [identity(shared.table.link(name)) for name in self._names(link)])
        if self._surveyed is None or self._surveyed[0] != seen:
            place = survey(
                config,
                link=link,
                source=source,
                table=shared.table,
                made=shared.made,
                names=shared.names,
                pacing=shared.pacing,
            )
            self._surveyed = (seen, place)
            self._tell_missing(place)
        place = self._surveyed[1]
        others = foreign(place.holdings, shared.table)
        if self._is_active():  # ours as long as we hold it, whoever touches it
            others -= {one.key for one in self.removable}
        if others != place.foreign:
            place = replace(place, foreign=others)
            self._surveyed = (seen, place)
        return place

    def _tell_missing(self, place: Place) -> None:
        """Tell once what cannot be set as the host is now."""
        for text in place.missing:
            if text not in self._told_missing:
                log.error("(%s) cannot be set: %s", self.config.name, text)
        self._told_missing = place.missing

    def _judge(self, link: Link | None, source: Address | None) -> None:
        config = self.config
        needed = self._shared.needed[config.name]
        if link is not None and link.name not in needed:  # none is configured
            needed = (link.name, *needed)
        own = link.name if link is not None else config.interface
        broken = [text for name in needed if (text := self._judge_link(name, own)) is not None]
        self._set(Fault.LINK, ", ".join(broken) or None)
        alone = config.unicast_fault_no_peer and not config.peers
        problem = "no unicast peer is configured" if alone else None
        self._set(Fault.CONFIG, problem or self._shared.made.problem(config))
        self._set(Fault.SOURCE, self._judge_source(link, source))

    def _judge_link(self, interface: str, own: str) -> str | None:
        if self._shared.table.link(interface) is None:
            return f"interface {interface} does not exist"
        untracked = interface == own and not self.config.track_primary
        is_fine = untracked or self._shared.states.up(interface)
        return None if is_fine else f"interface {interface} down"

    def _judge_source(self, link: Link | None, source: Address | None) -> str | None:
        if link is None:  # which is a fault already, unless none is configured
            return None if self.config.interface else f"no interface has {self.config.source}"
        if source is None:
            return no_source(self.config.family, self._shared.table.addresses(link.index))
        if self.config.track_source and not has_source(self.config, link, self._shared.table):
            return "src address not configured"
        return None

    def _names(self, link: Link) -> tuple[str, ...]:
        """Return the interfaces that its bytes depend on."""
        vips = (*self.config.addresses, *self.config.excluded)
        names = [link.name, *self._shared.made.names_of(self.config)]
        names += [vip.interface for vip in vips if vip.interface is not None]
        for route in self.config.routes:
            names += [n for n in (route.interface, route.vrf) if n is not None]
            names += [hop.interface for hop in route.nexthops if hop.interface is not None]
        return tuple(dict.fromkeys(names))

    def _set(self, fault: Fault, reason: str | None) -> None:
        if reason is None:
            self.faults.pop(fault, None)
        else:
            self.faults[fault] = reason

    # ---- supplying ----

    def make(self, place: Place) -> Supply:
        """Open the sockets that `place` needs and compile what its transitions send; the hot loop
        is not told. Raises KernelError, EngineError."""
        shared = self._shared
        key = port_key(self.config, shared.common, place.link, place.source)
        number, port = shared.ports.get(key)
        sender = port.sender if advert_mac(self.config) is None else shared.ports.frame_sender()
        prepared = prepare(
            self.config, shared.common, place=place, sender=sender, requests=shared.requests
        )
        self._set(Fault.ADDRESS, self._restorer.reason)
        return Supply(place=place, key=key, port=number, prepared=prepared)

    def refresh(self) -> None:
        """Look at the host again, and give the hot loop what follows; what fails is a fault."""
        place = self.look()
        link = self._shared.made.link_of(self.config)
        if link != self._last_link:
            self._last_link = link
            self._shared.hot.clear_send_fault(self.slot)
        if place is not None and (self.supply is None or self.supply.place != place):
            try:
                self._give(self.make(place))
            except (KernelError, EngineError) as error:
                self._restorer.reset()  # there is one reason, and one timer
                self._set(Fault.ADDRESS, str(error))
                self._later(_RETRY, self._on_change)
        elif place is not None:
            self._set(Fault.ADDRESS, self._restorer.reason)
        elif link is None and self.supply is not None and self.is_gone:
            self._give_up(self.supply)
        self.set_again(self._footings.shaken(self.held.values()))

    @property
    def is_gone(self) -> bool:
        """Tell if the interface that the hot loop has it on is no more, and with it the memberships
        of its sockets."""
        if self.supply is None:
            return False
        link = self.supply.place.link
        now = self._shared.table.by_index(link.index)
        return now is None or now.generation != link.generation

    def _give_up(self, supply: Supply) -> None:
        """Leave the sockets of `supply`. What is held on other interfaces is so still, until the
        router notices the fault."""
        if supply.has_sockets:
            prepared = replace(supply.prepared, fd=-1, datagrams=())
            self._shared.hot.prepare(self.slot, prepared)
            self.took(replace(supply, prepared=prepared))

    def _give(self, supply: Supply) -> None:
        hot, place = self._shared.hot, supply.place
        before, held = self.removable, self.held
        try:
            hot.place(self.slot, supply.port, place.source.packed)
        except ValueError as error:
            raise EngineError(self.taken(place.link.name)) from error
        hot.prepare(self.slot, supply.prepared)
        self.took(supply)
        self._move([one for one in before if one.key not in self.held], held)

    def _move(self, gone: list[Holding], held: dict[Key, Holding]) -> None:
        """Remove what is `gone` with the place until now, and set instead what was not `held`
        there."""
        requests = self._shared.requests
        if requests is not None and gone:
            name = self.config.name
            new = [one for one in self.held.values() if one.key not in held]
            removals = requests.removals(name, gone)
            self._shared.hot.send_now(self.slot, removals, requests.batches(name, new))

    def taken(self, interface: str) -> str:
        """Return that another router has its VRID there, in words."""
        return (
            f"instance {self.config.name}: virtual_router_id {self.config.vrid} is used by another "
            f"instance on {interface} already; give each instance there its own"
        )

    def took(self, supply: Supply | None) -> None:
        """Take note of what the hot loop has now; other sockets may be closed from here on."""
        self.supply = supply
        holders = self._shared.holders
        for key in self.held:
            holders[key].remove(self)
            if not holders[key]:
                del holders[key]
        held = supply.place.holdings if supply is not None else ()
        self.held = {one.key: one for one in held}
        for key in self.held:
            holders.setdefault(key, []).append(self)
        shared = self._shared
        self._extra.follow(*extra_frames(self.config, shared.common, held, shared.made))

    def let_go(self) -> None:
        """Stop using sockets of an interface that is another one now: they are closed when the
        first router gets new ones, whose descriptors may have the same numbers."""
        link = self._shared.made.link_of(self.config)
        if self.supply is None or link is None or not self.is_gone:
            return
        key = self.supply.key
        if (key.ifindex, key.generation) != (link.index, link.generation):
            self._give_up(self.supply)

    @property
    def interface(self) -> str:
        """The name of its interface; where none is configured, of that which it is on."""
        if self.config.interface or self.supply is None:
            return self.config.interface
        return self.supply.place.link.name

    @property
    def removable(self) -> tuple[Holding, ...]:
        """What is removed when the router is active no longer, in the order of its setting."""
        return self.supply.place.removable if self.supply is not None else ()

    # ---- putting back ----

    def on_lost(self, holding: Holding, port_id: int) -> None:
        """The netlink socket `port_id` removed `holding` while the router is active, or the kernel
        did in somebody's name (0): put it back and announce it. Who does it again and again is
        stronger; then others shall, unless it is not tracked."""
        if not self._lost:  # with a primary address its secondaries go: all at once
            self._shared.loop.call_later(0, self._mend)
        self._lost.append((holding, port_id))

    def _mend(self) -> None:
        """Put back first, and look for who it was then: that takes a while. It was ourselves if the
        router is active no longer, which may be told later, or does not hold it any more."""
        lost = [one for one in self._lost if self.held.get(one[0].key) == one[0]]
        self._lost = []
        if not lost or self._shared.hot.status(self.slot)["state"] is not State.ACTIVE:
            return
        mended, given_up = [], False
        for holding, port_id in lost:
            verdict = self._restorer.lost(holding, partial(name_of, port_id))
            given_up |= verdict is Verdict.GIVE_UP
            if verdict is Verdict.RESTORE:
                mended.append((holding, port_id))
        self.set_again([holding for holding, _ in mended])
        names = {port_id: name_of(port_id) for _, port_id in mended}
        for holding, port_id in mended:
            by = f" by {names[port_id]}" if names[port_id] is not None else ""
            how = "set down" if holding.kind is Kind.LINK else "removed"
            log.warning("(%s) %s was %s%s; restored", self.config.name, holding.text, how, by)
        if given_up:
            self._set(Fault.ADDRESS, self._restorer.reason)
            self._later(self._restorer.pause, self._end_contest)
            self._on_change()

    def fallen_asleep(self) -> list[Holding]:
        """Return its own interfaces that are down and were up when this was called last."""
        found, awake = [], set()
        for holding in self.held.values():
            if holding.kind is Kind.LINK:
                ((_, index),) = holding.links
                link = self._shared.table.by_index(index)
                if link is not None and link.flags & IFF_UP:
                    awake.add(index)
                elif index in self._awake:
                    found.append(holding)
        self._awake = awake
        return found

    def set_missing(self) -> None:
        """Set and announce what the kernel does not have, as far as `LinkTable` knows."""
        table = self._shared.table
        self.set_again([one for key, one in self.held.items() if not table.holds(key)])

    def set_again(self, holdings: list[Holding]) -> None:
        """Set and announce `holdings`, if the router is active when its turn comes."""
        requests = self._shared.requests
        if requests is not None and holdings:
            batches = requests.batches(self.config.name, holdings, once=True)
            self._shared.hot.send_now(self.slot, (), batches)

    def _end_contest(self) -> None:
        """Try again: whoever removed it may be gone."""
        self._restorer.reset()
        self._set(Fault.ADDRESS, None)
        self._on_change()

    def _later(self, delay: int, callback: Callable[[], object]) -> None:
        """Call back after `delay` ns, instead of what was to be done later before."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._shared.loop.call_later(delay / NS_PER_SECOND, callback)

    def close(self) -> None:
        """Forget what was to be done later."""
        self._lost.clear()
        self._extra.close()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
