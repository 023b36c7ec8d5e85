"""HostSide: all that one engine opens, follows and changes on its host besides the virtual routers
themselves: links, requests to the kernel, static entries."""

import logging
from collections.abc import Callable, Iterable
from itertools import chain

from fastvrrp.config.model import Config, InstanceConfig, VirtualAddress
from fastvrrp.errors import KernelError
from fastvrrp.host.firewall import Firewall, drops
from fastvrrp.host.holding import Holding, Kind
from fastvrrp.host.iproute import names_of
from fastvrrp.host.leftovers import origins, remove_leftovers
from fastvrrp.host.link_states import LinkStates
from fastvrrp.host.link_users import linkbeat_of, located, settle_delays, watched
from fastvrrp.host.links import Key, LinkTable
from fastvrrp.host.requests import Requests
from fastvrrp.host.statics import Statics
from fastvrrp.host.sysctls import Sysctls
from fastvrrp.host.vmac import VirtualLinks
from fastvrrp.journal import Journal, RouteUndo, Undo
from fastvrrp.loop.ports import open_packet_socket
from fastvrrp.reactor import Loop

__all__ = ["HostSide"]

log = logging.getLogger("fastvrrp.engine")


class HostSide:
    """Opens everything for `config`; raises KernelError, with nothing left open.

    `sets_addresses` False: the caller does. `journal` keeps how everything is undone; what the last
    run left is undone first. `on_change` is called when links or their states have changed,
    `on_lost(key, port_id)` when somebody else removed what may be ours (see `LinkTable`),
    `on_overrun` when news of the kernel was lost, `on_undos` when what `undos()` returns is another
    thing without that. Thread: cold.
    """

    def __init__(
        self,
        config: Config,
        *,
        loop: Loop,
        sets_addresses: bool,
        journal: Journal | None,
        on_change: Callable[[], None],
        on_lost: Callable[[Key, int], None],
        on_overrun: Callable[[], None],
        on_undos: Callable[[], None],
    ) -> None:
        self._journal = journal
        self._on_change = on_change
        self._on_lost = on_lost
        self._on_overrun = on_overrun
        self._on_undos = on_undos
        self._closers: list[Callable[[], object]] = []
        self.requests: Requests | None = None
        self.statics: Statics | None = None
        self.frame_fd = -1
        """Sends announcements; -1: the caller does."""
        self._firewall = Firewall()
        self._dropping: tuple[Config, ...] = ()  # as the links are now
        self._closers.append(self._firewall.close)
        try:
            if journal is not None:
                journal.undo_last_run()
            self.table = LinkTable(loop, self._links_changed, self._was_lost, self._lost_news)
            self._closers.append(self.table.close)
            self.sysctls = Sysctls()
            self._closers.append(self.sysctls.close)
            self.made = VirtualLinks(self.table, self.sysctls, loop, on_change)
            self._closers.append(self.made.close)
            if sets_addresses:
                self._open(config, loop)
            self.states = LinkStates(
                self.table,
                loop=loop,
                names=watched(config),
                delays=settle_delays(config),
                linkbeat=linkbeat_of(config),
                on_change=on_change,
            )
            self._closers.append(self.states.close)
        except BaseException:
            self.close()
            raise

    def _open(self, config: Config, loop: Loop) -> None:
        self.requests = Requests(loop)
        self._closers.append(self.requests.close)
        self.table.ignore(self.requests.port_id)
        names = names_of(config.global_defs)
        self.table.watch_routes(origins(config, names))
        remove_leftovers(config, self.table, self.requests, names)
        self.statics = Statics(self.table, loop, self._on_undos)
        self._closers.append(self.statics.close)
        frames = open_packet_socket("gratuitous ARP")
        self._closers.append(frames.close)
        self.frame_fd = frames.fileno()

    def close(self) -> None:
        """Take back everything but what virtual routers set, which is gone by then; may be
        repeated. The journal stays if something of it could not be undone."""
        while self._closers:
            try:
                self._closers.pop()()
            except Exception:
                log.exception("while closing")
                self._journal = None
        if self._journal is not None:
            self._journal.remove()

    # ---- a new configuration ----

    def make_links(self, config: Config) -> None:
        """Make the interfaces that `config` asks for; what is not needed any more stays until
        `settle()`."""
        names = names_of(config.global_defs)
        self.made.update(config if self.requests is not None else Config(), names)

    def settle(self) -> None:
        """Remove the interfaces that the last configuration did not ask for."""
        self.made.settle()

    def drop(self, *configs: Config) -> None:
        """Let packets be dropped that any of `configs` wants dropped (accept mode off); of two,
        what is to be dropped until the second holds. Raises KernelError, with nothing changed."""
        wanted = (drops(one, self._interface_of, self._index_of) for one in configs)
        self._firewall.update(configs[-1].global_defs.firewall, frozenset(chain(*wanted)))
        self._dropping = configs if any(map(_drops_by_link, configs)) else ()

    def drop_only(self, *configs: Config) -> None:
        """As `drop`; a failure is told only, for everything else is done."""
        try:
            self.drop(*configs)
        except KernelError as error:
            log.error("%s; what is dropped stays as it was", error)

    def _interface_of(self, instance: InstanceConfig, vip: VirtualAddress) -> str | None:
        link = self.made.link_for(instance, vip)
        if link is not None:
            return link.name
        return vip.interface or located(instance, self.table).interface or None

    def _index_of(self, name: str) -> int | None:
        link = self.table.link(name)
        return None if link is None else link.index

    def take(self, config: Config) -> None:
        """Go by `config`: set its static entries, watch its interfaces and routes."""
        self.table.watch_routes(origins(config, names_of(config.global_defs)))
        if self.statics is not None:
            self.statics.update(config)
        self.states.configure(
            names=watched(config), delays=settle_delays(config), linkbeat=linkbeat_of(config)
        )

    # ---- the journal ----

    def undos(self, holdings: Iterable[Holding]) -> tuple[Undo, ...]:
        """Return how everything is undone, with `holdings` of virtual routers. The last is undone
        first: interfaces of ours, which ends what is said with a virtual MAC address, and only
        after them what keeps their neighbours silent."""
        found: list[Undo] = [*self._firewall.undos, *self.sysctls.undos]
        found += (
            RouteUndo(text=f"{one.kind.value} {one.text}", request=one.remove, links=one.links)
            for one in holdings
            if one.kind is not Kind.LINK
        )
        if self.statics is not None:
            found += self.statics.undos
        return (*found, *self.made.undos)

    def keep(self, undos: Iterable[Undo]) -> None:
        """Write `undos` down, before what they undo is done."""
        if self._journal is not None:
            self._journal.write(tuple(undos))

    # ---- news ----

    def _links_changed(self) -> None:
        self.made.refresh()
        self.states.update()
        if self._dropping:
            self.drop_only(*self._dropping)
        if self.statics is not None:
            self.statics.on_links_changed()
        self._on_change()

    def _was_lost(self, key: Key, port_id: int) -> None:
        if self.statics is None or not self.statics.on_lost(key, port_id):
            self._on_lost(key, port_id)

    def _lost_news(self) -> None:
        if self.statics is not None:
            self.statics.on_overrun()
        self._on_overrun()


def _drops_by_link(config: Config) -> bool:
    """Tell if what `config` wants dropped hangs on the interfaces that there are."""
    by_index = config.global_defs.firewall.by_index
    return by_index or any(not instance.interface for instance in config.instances)
