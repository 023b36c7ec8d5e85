"""Hosts on one switch, their faults, and one place to wait for everything that happens."""

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self, TypeVar

from lab.agent import Agent, LabError
from lab.capture import Capture
from lab.environment import environment
from lab.events import Event
from lab.monitor import AddressMonitor
from lab.process import Node, Process, Source

INTERFACE = "eth0"
BRIDGE = "br0"
CLOSE_TIMEOUT_S = 10
RECENT_EVENTS = 25
NS_PER_SECOND = 1_000_000_000

T = TypeVar("T")
E = TypeVar("E", bound=Event)


class LabTimeoutError(AssertionError):
    """What was waited for did not happen; the text shows what happened instead."""


def _sysctl(node: Node, name: str, value: str) -> None:
    """Set a kernel parameter of the node's network, if this kernel has it."""
    with contextlib.suppress(FileNotFoundError):
        node.write(f"/proc/sys/{name}", value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cable:
    """One interface of a host and where it is plugged in."""

    interface: str
    port: str  # its end on the switch
    bridge: str
    mac: str
    addresses: tuple[str, ...]


class Host(Node):
    """A machine with an interface, eth0, on the switch; own network, processes, /run and /tmp."""

    def __init__(
        self, lab: "Lab", agent: Agent, name: str, *, mac: str, addresses: tuple[str, ...]
    ) -> None:
        super().__init__(agent, name)
        self.mac = mac
        self._lab = lab
        self.addresses = addresses
        self.monitor = AddressMonitor(agent, name)
        lab.watch(self.monitor)
        self._cables: dict[str, Cable] = {}
        _sysctl(self, "net/ipv6/conf/default/accept_dad", "0")  # addresses are usable at once
        self.run("ip", "link", "set", "lo", "up")
        self.plug(INTERFACE, BRIDGE, *addresses)

    def plug(self, interface: str, bridge: str, *addresses: str) -> None:
        """Give the host an interface on a bridge of the switch; `Lab.lan` makes further ones."""
        port = self.name if interface == INTERFACE else f"{self.name}-{interface}"
        mac = f"{self.mac[:12]}{len(self._cables):02x}{self.mac[14:]}"
        self._lab.name(mac, self.name)
        cable = Cable(interface=interface, port=port, bridge=bridge, mac=mac, addresses=addresses)
        self._cables[interface] = cable
        self.plug_in(interface)

    def popen(self, *argv: str, env: Mapping[str, str] | None = None) -> Process:
        """Start a program; its lines and its end become events of the lab."""
        process = Process(self.agent, self.name, argv, environment(env))
        self._lab.watch(process.output)
        self._lab.watch(process.exit)
        return process

    def holds(self, address: str) -> bool:
        """Whether the host has the address, as far as events have been taken in."""
        return address in self.monitor.addresses

    def cut(self, interface: str = INTERFACE) -> None:
        """Pull the cable: the host loses carrier."""
        self._port(interface, "down")

    def isolate(self, interface: str = INTERFACE) -> None:
        """Lose every packet in both directions while the carrier stays."""
        self._port(interface, "nomaster")

    def heal(self, interface: str = INTERFACE) -> None:
        """Undo `cut` and `isolate`."""
        self._port(interface, "master", self._cables[interface].bridge, "up")

    def power_off(self) -> None:
        """Cut the links, kill -9 every process and forget every address, as a machine that dies."""
        for interface in self._cables:
            self.cut(interface)
        self.kill_everything()
        commands = [f"link set {name} down\naddr flush {name}\n" for name in self._cables]
        self.run("ip", "-batch", "-", stdin="".join(commands))

    def power_on(self) -> None:
        """Give the host its own addresses and its links; programs are the caller's to start."""
        for cable in self._cables.values():
            self._configure(cable)
            self.heal(cable.interface)

    def _port(self, interface: str, *setting: str) -> None:
        port = self._cables[interface].port
        self._lab.switch.run("ip", "link", "set", "dev", port, *setting)

    def plug_in(self, interface: str = INTERFACE) -> None:
        """A veth pair: the interface here, a port on the switch."""
        cable = self._cables[interface]
        namespace = self.agent.network_namespace()
        commands = (
            f"link add name {cable.port} type veth"
            f" peer name {interface} address {cable.mac} netns /proc/self/fd/3\n"
            f"link set dev {cable.port} master {cable.bridge} up\n"
        )
        try:
            self._lab.switch.run("ip", "-batch", "-", stdin=commands, descriptors=[namespace])
        finally:
            os.close(namespace)  # it would keep the namespace alive after the host
        self._configure(cable)

    def _configure(self, cable: Cable) -> None:
        commands = [f"addr add {address} dev {cable.interface}" for address in cable.addresses]
        commands.append(f"link set {cable.interface} up\n")
        self.run("ip", "-batch", "-", stdin="\n".join(commands))


class Lab:
    """A switch, its hosts and the history of everything observed. Use it as a context manager."""

    def __init__(self) -> None:
        self.history: list[Event] = []
        self.hosts: dict[str, Host] = {}
        self.switch: Node
        self.capture: Capture
        self._names: dict[str, str] = {}  # MAC -> host
        self._listeners: list[Callable[[Event], object]] = []
        self._selector = selectors.DefaultSelector()
        self._process: subprocess.Popen[bytes] | None = None
        self._agents: list[Agent] = []

    def __enter__(self) -> Self:
        try:
            agent, self._process = Agent.first("switch")
            self._agents.append(agent)
            self._make_switch(agent)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _make_switch(self, agent: Agent) -> None:
        self.switch = Node(agent, "switch")
        _sysctl(self.switch, "net/ipv6/conf/default/disable_ipv6", "1")  # a switch says nothing
        self.capture = self.lan(BRIDGE)

    def lan(self, bridge: str) -> Capture:
        """Make a further LAN, a bridge of the switch, and observe it."""
        settings = "type bridge stp_state 0 forward_delay 0 mcast_snooping 0"
        commands = (
            f"link add name {bridge} address 02:00:00:00:00:fe {settings}\nlink set {bridge} up\n"
        )
        self.switch.run("ip", "-batch", "-", stdin=commands)
        capture = Capture(self.switch.agent, bridge, self._names)
        self.watch(capture)
        return capture

    def name(self, mac: str, host: str) -> None:
        """Tell whose events those of frames from `mac` are."""
        self._names[mac] = host

    def host(self, name: str, *addresses: str) -> Host:
        """Add a host with its addresses, such as "10.0.0.1/24"; the name is at most 15 long."""
        mac = f"02:00:00:00:00:{len(self.hosts) + 1:02x}"
        agent = self.switch.agent.nested(name)
        self._agents.append(agent)
        self.hosts[name] = Host(self, agent, name, mac=mac, addresses=addresses)
        return self.hosts[name]

    def now(self) -> int:
        """The clock of all events: CLOCK_MONOTONIC in ns."""
        return time.monotonic_ns()

    def watch(self, source: Source) -> None:
        """Take in the events of a further source."""
        self._selector.register(source, selectors.EVENT_READ)

    def listen(self, listener: Callable[[Event], object]) -> None:
        """Call `listener` with every event from now on, when it is taken in."""
        self._listeners.append(listener)

    def pump(self, timeout: float) -> None:
        """Take in what happens, waiting at most `timeout` s for the first of it."""
        events: list[Event] = []
        for key, _ in self._selector.select(timeout):
            source: Source = key.fileobj  # type: ignore[assignment]  # only `watch` registers
            events += source.drain()
            if source.finished:
                self._selector.unregister(source)
                source.close()
        events.sort(key=lambda event: event.at)
        self.history += events
        for event in events:
            for listener in self._listeners:
                listener(event)

    def wait_for(self, condition: Callable[[], T | None], timeout: float) -> T:
        """What `condition` returns as soon as that is true; it is asked again after every event.

        Raises LabTimeoutError after `timeout` s.
        """
        deadline = self.now() + int(timeout * NS_PER_SECOND)
        self.pump(0)
        while not (result := condition()):
            remaining = deadline - self.now()
            if remaining <= 0:
                raise LabTimeoutError(f"not within {timeout} s; observed last:\n{self.recent()}")
            self.pump(remaining / NS_PER_SECOND)
        return result

    def first(
        self,
        kind: type[E],
        where: Callable[[E], bool] = lambda _: True,
        *,
        after: int = 0,
        timeout: float,
    ) -> E:
        """The first event of a kind that fits, from the history or within `timeout` s from now.

        Only events later than `after` (ns) count, so that nothing is missed between a fault and
        the call, and nothing old is taken for an effect.
        """
        position = 0

        def search() -> E | None:
            nonlocal position
            for event in self.history[position:]:
                position += 1
                if isinstance(event, kind) and event.at > after and where(event):
                    return event
            return None

        return self.wait_for(search, timeout)

    def events(self, kind: type[E], where: Callable[[E], bool] = lambda _: True) -> list[E]:
        """All events of a kind taken in so far that fit."""
        return [event for event in self.history if isinstance(event, kind) and where(event)]

    def recent(self) -> str:
        """The last events as text, one a line."""
        return "\n".join(f"  {event}" for event in self.history[-RECENT_EVENTS:])

    def close(self) -> None:
        """End every host and wait until the kernel has let all of it go."""
        for key in list(self._selector.get_map().values()):
            key.fileobj.close()  # type: ignore[union-attr]  # only `watch` registers
        self._selector.close()
        for agent in self._agents:
            agent.close()
        if self._process is not None:
            self._end(self._process)

    @staticmethod
    def _end(process: subprocess.Popen[bytes]) -> None:
        """Its pid namespace holds all others, so that its end is the end of everything."""
        try:
            process.communicate(timeout=CLOSE_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise LabError("the lab had to be killed") from None
