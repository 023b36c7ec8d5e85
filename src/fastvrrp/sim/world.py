"""The whole simulation: one clock, one generator of random numbers, LANs, nodes, and what
happened."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from random import Random
from typing import TYPE_CHECKING, Required, TypedDict, Unpack

from fastvrrp.core.acts import GarpParams, HmacParams, RouterParams
from fastvrrp.keys import hmac_params
from fastvrrp.params import router_params
from fastvrrp.sim.clock import VirtualClock
from fastvrrp.sim.lan import Interface, Lan, Link, LinkFields
from fastvrrp.sim.node import VirtualRouterNode
from fastvrrp.sim.reload import Wanted

if TYPE_CHECKING:
    from fastvrrp.config.model import Config, InstanceConfig

__all__ = ["Entry", "World"]

Key = tuple[str, int, int]
Attachment = tuple[Lan, str] | tuple[Lan, str, str]


class RouterFields(TypedDict, total=False):
    """The fields of `core.acts.RouterParams` that are written as they are, as keywords."""

    vrid: Required[int]
    version: int
    priority: int
    start_active: bool
    preempt: bool
    preempt_delay: int
    advert_interval: int
    any_source: bool
    allowed_peers: tuple[bytes, ...]
    auth_type: int
    password: bytes
    garp: GarpParams
    faults: int
    group: int
    down_timer_adverts: int
    timer_expired_backup: int
    owner_ignore_adverts: bool
    lower_prio_no_advert: bool
    higher_prio_send_advert: bool
    skip_check_addresses: bool
    strict: bool
    peer_ttls: tuple[tuple[int, int], ...]
    hmac: HmacParams
    group_address: bytes
    checksum: int
    old_checksum: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the timeline: at the instant `at` (ns) `what` happened to `instance` of `node`.

    `what` is an act that was performed (SEND with its priority as `value`, INSTALL, WITHDRAW,
    ANNOUNCE with its rounds), a note (names.NoteKind by name; STATE with the new State as `value`
    and the Reason as `detail`), or something that befell the node (START, STOP, CRASH,
    STALL, RELOAD; `instance` is empty).
    """

    at: int
    node: str
    instance: str
    what: str
    value: int = 0
    detail: int = 0


class World:
    """Routers, the LANs between them, and their common time, which starts at `start` ns.

    Everything random comes from `random`, seeded with `seed`. `record_adverts` False keeps SEND
    out of the timeline, for runs of many virtual hours.
    """

    def __init__(self, seed: int = 0, *, start: int = 0, record_adverts: bool = True) -> None:
        self.random = Random(seed)
        self.clock = VirtualClock(start)
        self.timeline: list[Entry] = []
        self.lans: dict[str, Lan] = {}
        self.nodes: dict[str, VirtualRouterNode] = {}
        self._record_adverts = record_adverts
        self._start = start
        self._history: dict[Key, list[tuple[int, frozenset[str]]]] = {}

    # ---- construction ----

    def lan(self, name: str = "lan", **link: Unpack[LinkFields]) -> Lan:
        """Add a LAN whose ways have the `Link` fields given by keyword."""
        if name in self.lans:
            raise ValueError(f"there is a LAN {name!r} already")
        lan = self.lans[name] = Lan(name, self.clock, self.random, Link(**link))
        return lan

    def router(
        self,
        name: str,
        lan: Lan,
        address: str,
        *,
        addresses: Iterable[str] | None = None,
        peers: Iterable[str] = (),
        **instance: Unpack[RouterFields],
    ) -> VirtualRouterNode:
        """Add a node with one interface, `eth0`, and one virtual router, `VI_1`, given by keyword.

        It sends from `address`; without virtual `addresses` it has one that its VRID makes up.
        """
        source = ip_address(address)
        vrid = instance["vrid"]
        made_up = f"198.51.100.{vrid}" if source.version == 4 else f"fe80::5e:{vrid:x}"
        node = self._add_node(name, {"eth0": (lan, address)})
        params = RouterParams(
            family=source.version,
            source=source.packed,
            addresses=_packed((made_up,) if addresses is None else addresses),
            peers=_packed(peers),
            **instance,
        )
        node.add_instance("VI_1", "eth0", params)
        return node

    def node(
        self, name: str, config: "Config", interfaces: Mapping[str, Attachment]
    ) -> VirtualRouterNode:
        """Add a node that runs every instance of `config`; `interfaces` says on which LAN, and
        with which addresses (at most one of each family, the IPv6 one link-local), each interface
        is.

        Keys of auth_hmac are read from their files, as by the daemon (ConfigError). Scripts are not
        run: give what they would say with `set_priority` and `set_faults`.
        """
        node = self._add_node(name, interfaces)
        for each in self._read(node, config):
            node.add_instance(*each)
        return node

    def apply(self, node: str, config: "Config") -> None:
        """Reload the node `node` with `config`, as `VirtualRouterNode.apply` does."""
        self.nodes[node].apply(self._read(self.nodes[node], config))

    def _read(self, node: VirtualRouterNode, config: "Config") -> list[Wanted]:
        """Return what `config` wants of `node`."""
        groups = {member: n for n, group in enumerate(config.groups) for member in group.members}
        found = []
        for instance in config.instances:
            size = 4 if instance.family == 4 else 16
            interface = _interface_of(instance, node)
            present = interface.addresses
            source = instance.source or next(
                (ip_address(raw) for raw in present if len(raw) == size), None
            )
            if source is None:
                where = f"{instance.name}: {interface.name} of {node.name}"
                raise ValueError(f"{where} needs an IPv{instance.family} address")
            params = router_params(
                instance,
                config.global_defs,
                source=source,
                group=groups.get(instance.name, -1),
                hmac=hmac_params(instance),
            )
            found.append(Wanted(instance.name, interface.name, params))
        return found

    def _add_node(self, name: str, interfaces: Mapping[str, Attachment]) -> VirtualRouterNode:
        if name in self.nodes:
            raise ValueError(f"there is a node {name!r} already")
        node = self.nodes[name] = VirtualRouterNode(name, self.clock, self)
        for interface, (lan, *addresses) in interfaces.items():
            node.add_interface(Interface(node, interface, lan, _packed(addresses), {}))
        return node

    # ---- time ----

    @property
    def now(self) -> int:
        """The current instant, ns."""
        return self.clock.now

    def run_for(self, duration: int) -> None:
        """Let `duration` ns go by."""
        self.run_until(self.now + duration)

    def run_until(self, end: int | Callable[[], bool], *, limit: int | None = None) -> None:
        """Run up to and including the instant `end`, or until the predicate `end` holds.

        Raises TimeoutError when a predicate does not hold within `limit` ns, or can no longer
        come true because nothing lies ahead; ValueError when the instant has passed.
        """
        if not callable(end):
            self._run_to(end)
            return
        last = None if limit is None else self.now + limit
        while not end():
            ahead = self.clock.next()
            if ahead is None or (last is not None and ahead > last):
                raise TimeoutError(f"it had not come true at {self.now} ns")
            self.clock.step()

    def _run_to(self, end: int) -> None:
        if end < self.now:
            raise ValueError(f"{end} ns has passed: it is {self.now} ns")
        while (ahead := self.clock.next()) is not None and ahead <= end:
            self.clock.step()
        self.clock.now = end

    # ---- what happened ----

    def record(self, node: str, instance: str, what: str, value: int, detail: int) -> None:
        """Write one line of the timeline (nodes call this)."""
        if what != "SEND" or self._record_adverts:
            self.timeline.append(Entry(self.clock.now, node, instance, what, value, detail))

    def hold(self, interface: Interface, params: RouterParams, *, held: bool) -> None:
        """Note that a node holds the addresses of a virtual router, or no longer (nodes call
        this)."""
        history = self._history.setdefault((interface.lan.name, params.family, params.vrid), [])
        holders = history[-1][1] if history else frozenset()
        name = {interface.node.name}
        history.append((self.clock.now, holders | name if held else holders - name))

    def holders(
        self, vrid: int, *, at: int | None = None, lan: str | None = None, family: int = 4
    ) -> frozenset[str]:
        """Return the names of the nodes that hold the addresses of a virtual router now, or after
        everything that happened at the instant `at`. `lan` may be left out when there is one."""
        history = self._history.get(self._key(vrid, lan, family), [])
        index = len(history) if at is None else bisect_right(history, at, key=lambda item: item[0])
        return history[index - 1][1] if index else frozenset()

    def spans(
        self, vrid: int, *, since: int | None = None, lan: str | None = None, family: int = 4
    ) -> Iterator[tuple[int, int, frozenset[str]]]:
        """Yield (from, to, holders) of a virtual router from the instant `since` until now,
        without spans of length 0: nobody in a span is a gap, several are two routers that are
        active at once."""
        begin = self._start if since is None else since
        holders = self.holders(vrid, at=begin, lan=lan, family=family)
        changes = [c for c in self._history.get(self._key(vrid, lan, family), []) if c[0] > begin]
        for at, after in (*changes, (self.now, frozenset[str]())):
            if at > begin:
                yield begin, at, holders
            begin, holders = at, after

    def _key(self, vrid: int, lan: str | None, family: int) -> Key:
        if lan is None:
            (lan,) = self.lans
        return (lan, family, vrid)


def _packed(addresses: Iterable[str]) -> tuple[bytes, ...]:
    return tuple(ip_address(address).packed for address in addresses)


def _interface_of(instance: "InstanceConfig", node: VirtualRouterNode) -> Interface:
    """Return the configured interface, else the one that has the source address."""
    if instance.interface or instance.source is None:
        return node.interface(instance.interface)
    return node.interface_with(instance.source.packed)
