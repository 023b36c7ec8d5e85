"""The contest of one fastvrrpd and one keepalived for several virtual addresses at once, either of
which is the better router of some: one of them starts, stops, dies or is cut off.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from interop.pcap import expert_messages
from interop.peers import (
    OURS,
    THEIRS,
    Instance,
    config,
    is_from,
    keepalived_errors,
    rejects,
    wait_advert,
    wait_exit,
    wait_gone,
    wait_holder,
)
from lab import Advert, Arp, NeighbourAdvert, Router

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from lab import Lab

ADDRESSES = {OURS: "10.9.0.1", THEIRS: "10.9.0.2"}
ADDRESSES6 = {OURS: "fd09::1", THEIRS: "fd09::2"}
BETTER, WORSE = 150, 100
SLACK_S = 3  # of a busy machine, and for a start


@dataclass(frozen=True, kw_only=True)
class Prize:
    """One virtual address: `better` is who should hold it; `ours` and `theirs` are what stands in
    the instance of either alone; `unicast` makes both send to each other's address."""

    vrid: int
    vip: str
    better: str
    body: str = "version 3"
    ours: str = ""
    theirs: str = ""
    unicast: bool = False
    interval: float = 0.1

    def instance(self, side: str) -> Instance:
        """The instance of one side."""
        other = THEIRS if side == OURS else OURS
        own = ADDRESSES6 if ":" in self.vip else ADDRESSES
        lines = [self.body, self.ours if side == OURS else self.theirs]
        if self.unicast:
            lines.append(f"unicast_src_ip {own[side]}\n unicast_peer {{\n {own[other]}\n }}")
        return Instance(
            vip=self.vip,
            vrid=self.vrid,
            priority=BETTER if side == self.better else WORSE,
            interval=self.interval,
            body="\n ".join(lines),
        )

    @property
    def down(self) -> float:
        """Active_Down_Interval, rounded up, s."""
        return 4 * self.interval


class Contest:
    """Both routers, on one LAN, and their prizes. Every method is one thing that happens, and waits
    until every prize is where it then should be."""

    def __init__(self, lab: Lab, *prizes: Prize, more: str = "") -> None:
        self.lab = lab
        self.prizes = prizes
        self._down = max(prize.down for prize in prizes)
        self._routers = {
            side: Router(
                lab.host(name, f"{ADDRESSES[side]}/24", f"{ADDRESSES6[side]}/64"),
                config(*(prize.instance(side) for prize in prizes), more=more),
                program=side,
            )
            for name, side in (("ours", OURS), ("theirs", THEIRS))
        }

    @cached_property
    def ours(self) -> Router:
        return self._routers[OURS]

    @cached_property
    def theirs(self) -> Router:
        return self._routers[THEIRS]

    def start(self) -> None:
        """Start both: the better one gets each prize, and the other one has it no longer."""
        for router in self._routers.values():
            router.start()
        self._settle()

    def stops_and_returns(self, side: str) -> None:
        """SIGTERM: the other takes over in Skew_Time, for which it needs to understand priority 0;
        then a new start, and the better one gets its prizes back."""
        before = self.lab.now()
        self._routers[side].stop()
        for prize in self._won_by(side):
            zero = self.next_advert(prize, side, before, released=True)
            taken = self.next_advert(prize, self._other(side), zero.at)
            late = (taken.at - zero.at) / 1e9
            assert late < max(1.2 * prize.interval, 0.2), f"{prize}: took over {late} s late"
        self._all_to(self._other(side), before)
        wait_exit(self.lab, self._routers[side], after=before)
        self._routers[side].start()
        self._settle()

    def dies_and_returns(self, side: str) -> None:
        """The machine dies, and the other announces what it takes over; then a new start."""
        before = self.lab.now()
        self._routers[side].host.power_off()
        self._all_to(self._other(side), before)
        for prize in self._won_by(side):
            self._announced(prize, self._other(side), before)
        self._routers[side].host.power_on()
        self._routers[side].start()
        self._settle()

    def is_cut_off_and_returns(self, side: str) -> None:
        """No packet gets through, so that both hold every address; then all is as before."""
        before = self.lab.now()
        self._routers[side].host.isolate()
        for prize in self.prizes:
            self._holds(prize, self._other(prize.better), before)
        self._routers[side].host.heal()
        self._settle()

    def assert_content(self, *, allowed: Collection[str] = ()) -> None:
        """keepalived's statistics name no error, since its start, but `allowed`, and we have
        rejected nothing."""
        errors = keepalived_errors(self.lab, self.theirs)
        unexpected = {error: n for error, n in errors.items() if error not in allowed}
        assert not unexpected, f"keepalived counts {unexpected}"
        assert not rejects(self.ours), rejects(self.ours)

    def assert_well_formed(self, directory: Path) -> None:
        """tshark has nothing to say about any advert of ours but those of VRRPv2 over IPv6: it
        expects no pseudo-header there, keepalived's kernel computes one."""
        frames = [
            e.frame
            for e in self.lab.events(Advert, lambda e: e.host == "ours")
            if e.version == 3 or ":" not in e.source
        ]
        assert len(frames) > 3 * len(self.prizes)
        complaints = expert_messages(frames, directory / "ours.pcap")
        assert not complaints, complaints

    def _settle(self) -> None:
        """Wait until the better one, and nobody else, holds each prize, and is heard then."""
        for prize in self.prizes:
            better, other = self._routers[prize.better], self._routers[self._other(prize.better)]
            self.lab.wait_for(
                lambda host=better.host, vip=prize.vip: host.holds(vip),  # type: ignore[misc]
                timeout=self._down + SLACK_S,
            )
            wait_gone(self.lab, other, prize.vip, timeout=self._down + SLACK_S)
        settled = self.lab.now()
        for prize in self.prizes:
            wait_advert(
                self.lab,
                self._routers[prize.better],
                vrid=prize.vrid,
                vip=prize.vip,
                after=settled,
                timeout=prize.interval + SLACK_S,
            )

    def _all_to(self, side: str, after: int) -> None:
        for prize in self._won_by(self._other(side)):
            self._holds(prize, side, after)

    def _holds(self, prize: Prize, side: str, after: int) -> None:
        wait_holder(
            self.lab,
            self._routers[side],
            prize.vip,
            after=after,
            timeout=prize.down + SLACK_S,
        )

    def _announced(self, prize: Prize, side: str, after: int) -> None:
        host = self._routers[side].host.name
        if ":" in prize.vip:
            self.lab.first(
                NeighbourAdvert,
                lambda e: e.host == host and e.target == prize.vip,
                after=after,
                timeout=SLACK_S,
            )
        else:
            self.lab.first(
                Arp,
                lambda e: e.host == host and e.gratuitous and e.sender == prize.vip,
                after=after,
                timeout=SLACK_S,
            )

    def next_advert(self, prize: Prize, side: str, after: int, *, released: bool = False) -> Advert:
        """The first advert of a side after an instant, with or without priority 0."""
        router = self._routers[side]
        return self.lab.first(
            Advert,
            lambda e: is_from(e, router, prize.vrid, prize.vip) and (e.priority == 0) == released,
            after=after,
            timeout=prize.down + SLACK_S,
        )

    def _won_by(self, side: str) -> list[Prize]:
        return [prize for prize in self.prizes if prize.better == side]

    @staticmethod
    def _other(side: str) -> str:
        return THEIRS if side == OURS else OURS
