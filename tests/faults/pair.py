"""Two routers on one LAN, with real daemons: `a`, which holds the address, and its backup `b`."""

from contextlib import ExitStack

from lab import AddressAdded, AddressRemoved, Advert, Host, Lab, LogLine, Router

VIP = "10.9.0.100"
INTERVAL_S = 0.1
SKEW_100_S = INTERVAL_S * 156 / 256
DOWN_100_S = 3 * INTERVAL_S + SKEW_100_S
DOWN_200_S = 3 * INTERVAL_S + INTERVAL_S * 56 / 256
SCHEDULING_S = 0.2
"""What a busy machine may take to run a process."""
AT_ONCE_S = 0.05 + SCHEDULING_S
"""The bound of what must be done within 50 ms."""
TIMEOUT_S = 15

FAST = f"version 3\n advert_int {INTERVAL_S:g}"


def config(priority: int, body: str, addresses: str = f"{VIP}/24") -> str:
    """Return the file of one router."""
    return f"""
vrrp_instance VI_1 {{
 state BACKUP
 interface eth0
 virtual_router_id 51
 priority {priority}
 {body}
 virtual_ipaddress {{
 {addresses}
 }}
}}
"""


class Pair:
    """Router `a`, which holds the address, and router `b`, its backup. `head`: what stands before
    the instance in both files."""

    def __init__(
        self,
        lab: Lab,
        body: str = FAST,
        *,
        priorities: tuple[int, int] = (200, 100),
        vip: str = VIP,
        addresses: str = f"{VIP}/24",
        head: str = "",
    ) -> None:
        self.lab = lab
        self.vip = vip
        a, b = (head + config(priority, body, addresses) for priority in priorities)
        self.a = Router(lab.host("a", "10.9.0.1/24"), a, program="fastvrrpd")
        self.b = Router(lab.host("b", "10.9.0.2/24"), b, program="fastvrrpd")
        self.a.start()
        lab.first(AddressAdded, lambda e: (e.host, e.address) == ("a", vip), timeout=TIMEOUT_S)
        self.b.start()
        self.logged("b", "master set to", after=0)
        for host in ("a", "b"):
            self.logged(host, "Startup complete", after=0)

    def added(self, host: str, after: int) -> AddressAdded:
        """Wait for the address on `host`."""
        return self.lab.first(
            AddressAdded,
            lambda e: (e.host, e.address) == (host, self.vip),
            after=after,
            timeout=TIMEOUT_S,
        )

    def removed(self, host: str, after: int) -> AddressRemoved:
        """Wait for the end of the address on `host`."""
        return self.lab.first(
            AddressRemoved,
            lambda e: (e.host, e.address) == (host, self.vip),
            after=after,
            timeout=TIMEOUT_S,
        )

    def logged(self, host: str, text: str, *, after: int, timeout: float = TIMEOUT_S) -> LogLine:
        """Wait for a line of the daemon on `host` that contains `text`."""
        return self.lab.first(
            LogLine,
            lambda e: e.host == host and text in e.text,
            after=after,
            timeout=timeout,
        )

    def adverts(self, count: int, host: str = "a") -> list[Advert]:
        """Wait for the next `count` adverts of `host`."""
        found = []
        after = self.lab.now()
        for _ in range(count):
            one = self.lab.first(Advert, lambda e: e.host == host, after=after, timeout=2)
            found.append(one)
            after = one.at
        return found

    def sent(self, host: str, after: int) -> list[Advert]:
        """Return the adverts of `host` since then."""
        self.lab.pump(0)
        return self.lab.events(Advert, lambda e: e.host == host and e.at > after)

    def changes(self, after: int) -> list[str]:
        """Return what both said about states since then."""
        self.lab.pump(0)
        return [
            f"{e.host}: {e.text.partition(') ')[2]}"
            for e in self.lab.events(LogLine, lambda e: e.at > after and "Entering" in e.text)
        ]

    def lines(self, host: str, after: int) -> list[str]:
        """Return what the daemon of `host` said since then."""
        self.lab.pump(0)
        found = self.lab.events(LogLine, lambda e: e.at > after and e.host == host)
        return [line.text for line in found]

    def both_hold(self, after: int) -> float:
        """Return for how long (s) both held the address since then, as far as it is over."""
        self.lab.pump(0)
        held: dict[str, int] = {}
        both, began = 0, 0
        for event in self.lab.history:
            if not isinstance(event, AddressAdded | AddressRemoved) or event.address != self.vip:
                continue
            if isinstance(event, AddressAdded):
                held[event.host] = event.at
                began = event.at
            elif held.pop(event.host, None) is not None and held:
                both += max(0, event.at - max(began, after))
        return both / 1e9

    def settle(self) -> None:
        """Wait until `a` holds the address, `b` does not, and `b` hears it."""
        self.lab.wait_for(self._is_settled, TIMEOUT_S)
        self.adverts(2)

    def _is_settled(self) -> bool:
        return self.a.host.holds(self.vip) and not self.b.host.holds(self.vip)


class SharedPair:
    """The pair that the tests of a file use one after the other, each of which leaves it as it
    was; after a test that did not there is a new one."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._pair: Pair | None = None

    def __enter__(self) -> "SharedPair":
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def get(self) -> Pair:
        """Return the settled pair; raises LabUnavailableError."""
        if self._pair is None:
            self._pair = Pair(self._stack.enter_context(Lab()))
        self._pair.settle()
        return self._pair

    def forget(self) -> None:
        """End it: something went wrong."""
        self._pair = None
        self._stack.close()


def ip(host: Host, command: str) -> None:
    """Run ip(8)."""
    host.run("ip", *command.split())


def signal_worker(host: Host, name: str) -> None:
    """Send a signal to the process with the hot thread."""
    host.run("sh", "-c", f"kill -{name} $(cat /run/router-vrrp.pid)")


def wait(lab: Lab, seconds: float) -> None:
    """Take in what happens for a while: the fault lasts that long, whatever happens."""
    end = lab.now() + int(seconds * 1e9)
    while (left := end - lab.now()) > 0:
        lab.pump(left / 1e9)
