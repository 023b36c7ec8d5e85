"""ExtraGarp: `garp_extra_if`, announcements for interfaces whose MAC address no advert carries: a
switch forgets where it is when nothing else comes from it."""

from collections.abc import Iterable, Sequence

from fastvrrp.clock import NS_PER_SECOND
from fastvrrp.config.model import GlobalConfig, InstanceConfig
from fastvrrp.host.holding import Holding
from fastvrrp.host.vmac import VirtualLinks
from fastvrrp.loop.loop import Loop as HotLoop
from fastvrrp.loop.prepared import MESSAGES_IN_ONE_SEND, Batch, Frame
from fastvrrp.reactor import Handle, Loop

__all__ = ["ExtraGarp", "extra_frames"]


def extra_frames(
    instance: InstanceConfig, common: GlobalConfig, holdings: Iterable[Holding], made: VirtualLinks
) -> tuple[int, tuple[Frame, ...]]:
    """Return how often, ns, and what is announced of `holdings`; 0: never."""
    extra = instance.extra_garp if instance.extra_garp is not None else common.extra_garp
    if not extra.interval:
        return 0, ()
    ours, speaking = made.macvlans_of(instance), made.speaks_from(instance)
    frames = (one.frame for one in holdings if one.frame is not None)
    told = (f for f in frames if f.ifindex != speaking and (extra.everywhere or f.ifindex in ours))
    return extra.interval, tuple(told)


class ExtraGarp:
    """Announces frames again and again while the router in `slot` is active. Thread: cold."""

    def __init__(self, slot: int, loop: Loop, hot: HotLoop) -> None:
        self._slot = slot
        self._loop = loop
        self._hot = hot
        self._interval = 0
        self._frames: Sequence[Frame] = ()
        self._timer: Handle | None = None

    def follow(self, interval: int, frames: Sequence[Frame]) -> None:
        """Announce `frames` every `interval` ns from now on; 0: never."""
        self._frames = frames
        wanted = interval if frames else 0
        if wanted == self._interval:
            return
        self.close()
        self._interval = wanted
        self._arm()

    def close(self) -> None:
        """Announce nothing any more; may be repeated."""
        self._interval = 0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self) -> None:
        if self._interval:
            self._timer = self._loop.call_later(self._interval / NS_PER_SECOND, self._announce)

    def _announce(self) -> None:
        size = MESSAGES_IN_ONE_SEND
        parts = [self._frames[i : i + size] for i in range(0, len(self._frames), size)]
        batches = tuple(Batch(requests=b"", frames=tuple(part)) for part in parts)
        self._hot.send_now(self._slot, (), batches)
        self._arm()
