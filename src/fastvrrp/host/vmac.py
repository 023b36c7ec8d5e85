"""Interfaces with a virtual MAC address, and ipvlan interfaces: made for instances, kept, removed.

Laws: a macvlan interface is down unless its router is active, and then the hot side wakes it (see
`wake`): nothing ever answers or sends from the virtual MAC address beside the active router (RFC
9568 §6.4.2). What is not ours is never changed and never removed.
"""

import logging
import os
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from fastvrrp.clock import NS_PER_SECOND, monotonic_ns, seconds
from fastvrrp.config.model import Config, InstanceConfig, VirtualAddress
from fastvrrp.host.holding import Holding, HoldingError, Kind
from fastvrrp.host.iproute import Names
from fastvrrp.host.link_users import own_link
from fastvrrp.host.links import Link, LinkTable
from fastvrrp.host.netlink import RouteSocket
from fastvrrp.host.sysctls import Sysctls
from fastvrrp.host.vmac_plan import Key, Wanted, advert_mac, key_for, names, own_key, wanted
from fastvrrp.host.vmac_requests import (
    Found,
    add_address,
    ask_for,
    create_ipvlan,
    create_macvlan,
    delete,
    found_in,
    mark,
    turn,
)
from fastvrrp.host.vmac_settings import base_settings, set_up
from fastvrrp.journal import RouteUndo
from fastvrrp.reactor import Handle, Loop

__all__ = ["VirtualLinks"]

log = logging.getLogger("fastvrrp.host")

_MAX_REMADE = 5
_REMADE_IN = seconds(60)
"""An interface that somebody else removes or changes is made again so often in so much time."""


@dataclass(frozen=True, slots=True)
class _Set:
    """Parameters of an interface that has been there before us: what was asked for, when it had
    `generation`, and those of it that hold."""

    generation: int
    asked: dict[str, str]
    held: list[str]


class _Refused(Exception):
    """An interface cannot be made; the text says why."""


@dataclass(slots=True)
class _Made:
    """One interface, as far as it is there: `index` 0: it is not, and `problem` says why, unless
    its base is absent."""

    want: Wanted
    name: str = ""
    index: int = 0
    problem: str | None = None
    remade: deque[int] = field(default_factory=lambda: deque(maxlen=_MAX_REMADE))
    retry: Handle | None = None


class VirtualLinks:
    """The interfaces that `update()` was asked for last. `on_change` is called when one is there,
    or has a problem, without link news being the cause. Thread: cold."""

    def __init__(
        self,
        table: LinkTable,
        sysctls: Sysctls,
        loop: Loop,
        on_change: Callable[[], object] = lambda: None,
    ) -> None:
        self._table = table
        self._sysctls = sysctls
        self._loop = loop
        self._on_change = on_change
        self._names = Names()
        self._made: dict[Key, _Made] = {}
        self._retired: dict[Key, _Made] = {}
        self._settings: dict[str, dict[str, str]] = {}
        self._set: dict[str, _Set] = {}
        self._route = RouteSocket()
        table.ours.add(self._route.port_id)

    # ---- life ----

    def update(self, config: Config, names: Names) -> None:
        """Make the interfaces that `config` asks for; others stay until `settle()`."""
        self._names = names
        self._settings = base_settings(config)
        asked = {want.key: want for want in wanted(config)}
        for key, made in list(self._made.items()):
            if key not in asked:
                self._retired[key] = self._made.pop(key)
            elif made.want != asked[key]:
                self._remove(self._made.pop(key))
        for key, want in asked.items():
            if key not in self._made:
                known = self._retired.pop(key, None)
                if known is not None and known.want != want:
                    self._remove(known)
                    known = None
                self._made[key] = known or _Made(want)
        self.refresh()

    def settle(self) -> None:
        """Remove the interfaces and the settings that the last configuration did not ask for."""
        while self._retired:
            self._remove(self._retired.popitem()[1])
        for base in [name for name in self._set if name not in self._settings]:
            self._restore(base)

    def close(self) -> None:
        """Remove everything; may be repeated."""
        if self._route.fileno() < 0:
            return
        self._retired |= self._made
        self._made, self._settings = {}, {}
        self.settle()
        self._route.close()

    @property
    def undos(self) -> tuple[RouteUndo, ...]:
        """How the interfaces are removed when we cannot do it any more."""
        return tuple(
            RouteUndo(
                text=f"interface {made.name}",
                request=delete(made.index),
                links=((made.name, made.index),),
            )
            for made in (*self._made.values(), *self._retired.values())
            if made.index
        )

    # ---- questions ----

    def link_of(self, instance: InstanceConfig) -> Link | None:
        """Return the interface that `instance` hears and speaks on, None while it is not there:
        its own one, or the ipvlan interface that stands for it."""
        key = own_key(instance)
        made = self._made.get(key) if key is not None and instance.ipvlan is not None else None
        if made is None:
            return own_link(instance, self._table)
        return self._table.by_index(made.index) if made.index else None

    def names_of(self, instance: InstanceConfig) -> tuple[str, ...]:
        """Return the names of the interfaces that are there for `instance` only, its own first."""
        return tuple(made.name for made in self._of(instance) if made.index)

    def link_for(self, instance: InstanceConfig, vip: VirtualAddress) -> Link | None:
        """Return the interface that `vip` goes to, None while it is not there."""
        made = self._made.get(key) if (key := key_for(instance, vip)) is not None else None
        if made is not None:
            return self._table.by_index(made.index) if made.index else None
        if vip.interface is not None:
            return self._table.link(vip.interface)
        return own_link(instance, self._table)

    def macvlans_of(self, instance: InstanceConfig) -> frozenset[int]:
        """Return the indexes of the interfaces of `instance` with a virtual MAC address."""
        found = (made for made in self._of(instance) if made.want.mac is not None)
        return frozenset(made.index for made in found if made.index)

    def speaks_from(self, instance: InstanceConfig) -> int:
        """Return the index of the interface whose MAC address the adverts of `instance` carry; 0:
        it is not there."""
        key = own_key(instance)
        if key is not None and advert_mac(instance) is not None:
            return self._made[key].index if key in self._made else 0
        link = self.link_of(instance)
        return link.index if link is not None else 0

    def problem(self, instance: InstanceConfig) -> str | None:
        """Return in words why an interface of `instance` cannot be there; an absent one below it
        is not told."""
        told = (made.problem for made in self._of(instance) if made.problem is not None)
        return ", ".join(told) or None

    def wake(self, instance: InstanceConfig) -> tuple[Holding, ...]:
        """Return what lets the macvlan interfaces of `instance` take part while it is active: they
        are up, and before they are left they go down."""
        return tuple(
            Holding(
                kind=Kind.LINK,
                key=("link", made.index),
                install=turn(made.index, up=True),
                remove=turn(made.index, up=False),
                text=made.name,
                links=((made.name, made.index),),
            )
            for made in self._of(instance)
            if made.index and made.want.mac is not None
        )

    def _of(self, instance: InstanceConfig) -> list[_Made]:
        return [one for key, one in self._made.items() if key.instance == instance.name]

    # ---- following the interfaces ----

    def refresh(self) -> None:
        """Look at the interfaces again: make what is missing, as far as that can be done."""
        changed = [self._look(made) for made in self._made.values() if made.retry is None]
        for base in self._settings:
            self._settle_base(base)
        if any(changed):
            self._table.catch_up()

    def _look(self, made: _Made) -> bool:
        """Make an interface if it is not as it should be; tell if something was changed."""
        base = self._table.link(made.want.key.base)
        present = self._table.by_index(made.index) if made.index else None
        if base is None:
            if present is not None:  # its base has left for another network namespace
                self._remove(made)
            made.index, made.problem = 0, None
            return present is not None
        if made.index and (fault := _fault_of(made, present)) is not None:
            if present is not None:
                self._remove(made)
            made.index = 0
            if not self._may_make_again(made, fault):
                return True
        if made.index:
            return False
        return self._make(made, base)

    def _may_make_again(self, made: _Made, fault: str) -> bool:
        """Tell if an interface that somebody else has removed or changed is made again now."""
        now = monotonic_ns()
        if len(made.remade) == _MAX_REMADE and now - made.remade[0] < _REMADE_IN:
            made.problem = f"something on this host keeps removing or changing {made.name}"
            pause = _REMADE_IN / NS_PER_SECOND
            made.retry = self._loop.call_later(pause, self._end_pause, made)
            return False
        made.remade.append(now)
        log.warning(
            "(%s) interface %s %s by somebody else; made again",
            made.want.key.instance,
            made.name,
            fault,
        )
        return True

    def _end_pause(self, made: _Made) -> None:
        made.retry = None
        made.remade.clear()
        self.refresh()
        self._on_change()

    def _make(self, made: _Made, base: Link) -> bool:
        """Make an interface; if that fails, say so once."""
        try:
            self._create(made, base)
        except _Refused as error:
            if made.problem != str(error):
                made.problem = str(error)
                log.error("(%s) %s", made.want.key.instance, error)
            return False
        made.problem = None
        log.info("(%s) interface %s made", made.want.key.instance, made.name)
        return True

    def _create(self, made: _Made, base: Link) -> None:
        want = made.want
        below = self._find(base.name)
        if below is None:
            raise _Refused(f"interface {base.name} does not exist")
        if want.mac is not None and not below.is_ethernet:
            raise _Refused(f"use_vmac needs an Ethernet interface, which {base.name} is not")
        name = self._free_name(want, below)
        group = self._group(want, below)
        if want.mac is not None:
            request = create_macvlan(name, below.index, want.mac, group=group)
        else:
            request = create_ipvlan(name, below.index, want.mode, group=group)
        self._ask(f"make interface {name}", request)
        there = self._find(name)
        if there is None:
            raise _Refused(f"interface {name} vanished while it was made")
        made.name, made.index = name, there.index
        try:
            self._ask(f"mark interface {name}", mark(there.index))
            set_up(self._sysctls, name, want)
            if want.mac is None:
                self._begin_ipvlan(made)
        except _Refused:
            self._remove(made)
            raise

    def _begin_ipvlan(self, made: _Made) -> None:
        """An ipvlan interface has the MAC address of its base, and takes part all the time."""
        self._ask(f"let interface {made.name} be up", turn(made.index, up=True))
        if made.want.address is not None:
            what = f"give interface {made.name} the address {made.want.address}"
            self._ask(what, add_address(made.index, made.want.address))

    def _free_name(self, want: Wanted, below: Found) -> str:
        """Return a name that is free; what an earlier run left under it is removed."""
        for name in names(want):
            known = self._find(name)
            if known is None:
                return name
            retired = [one for one in self._retired.values() if one.index == known.index]
            if retired:  # it is in the way of what comes instead
                self._remove(retired[0])
                return name
            is_managed = any(made.index == known.index for made in self._made.values())
            is_same = known.base == below.index and (want.mac is None or known.mac == want.mac)
            if known.is_ours and is_same and not is_managed:
                log.info("removing interface %s, left by an earlier run", name)
                self._ask(f"remove interface {name}", delete(known.index))
                return name
        if want.name is not None:
            raise _Refused(
                f"there is another interface {want.name}, which is not ours; remove it by hand, or"
                " give that of the instance another name"
            )
        raise _Refused(f"all names like {next(names(want))} are taken")

    def _group(self, want: Wanted, below: Found) -> int:
        if want.group is None:
            return below.group
        try:
            return self._names.group(int(want.group) if want.group.isdecimal() else want.group)
        except HoldingError as error:
            raise _Refused(str(error)) from error

    def _remove(self, made: _Made) -> None:
        if made.retry is not None:
            made.retry.cancel()
        if made.index:
            self._route.ask([delete(made.index)])  # it may be gone
            made.index = 0

    # ---- settings of the interfaces below ----

    def _settle_base(self, base: str) -> None:
        """Set the parameters of an interface that has been there before us, if it is there, and
        again if it is another one now."""
        link, asked = self._table.link(base), self._settings[base]
        known = self._set.get(base)
        if link is None or (known and (known.generation, known.asked) == (link.generation, asked)):
            return
        held = [name for name, value in asked.items() if self._sysctls.set(name, value)]
        self._restore(base)
        self._set[base] = _Set(link.generation, asked, held)

    def _restore(self, base: str) -> None:
        known = self._set.pop(base, None)
        for name in known.held if known is not None else ():
            self._sysctls.restore(name)

    # ---- the kernel ----

    def _find(self, name: str) -> Found | None:
        self._route.send(ask_for(name))
        return next((found for found in map(found_in, self._route.read()) if found), None)

    def _ask(self, what: str, request: bytes) -> None:
        """Carry out `request`; raises _Refused."""
        (answer,) = self._route.ask([request])
        if answer.code:
            reason = answer.text or os.strerror(answer.code)
            raise _Refused(f"cannot {what}: {reason}")


def _fault_of(made: _Made, present: Link | None) -> str | None:
    """Return what somebody else has done to an interface, None if it is as it was made."""
    if present is None:
        return "was removed"
    if present.name != made.name:
        return "was renamed"
    if made.want.mac is not None and present.mac != made.want.mac:
        return "was given another MAC address"
    return None
