"""Simulated time: whole networks of virtual routers, without root, sockets or waiting.

The routers are real: the same core and the same bytes on the wire as in the daemon. Simulated are
the clock, which jumps from event to event, and the network between them, which may lose, delay,
reorder and duplicate. Everything random comes from one seeded generator: the same seed gives the
same run.

    world = World(seed=1)
    lan = world.lan(loss=0.05)
    a = world.router("a", lan, "192.0.2.1", vrid=51, priority=200)
    b = world.router("b", lan, "192.0.2.2", vrid=51, priority=100)
    a.start()
    b.start()
    world.run_for(seconds(10))
    assert world.holders(51) == {"a"}
    a.crash()
    world.run_until(lambda: world.holders(51) == {"b"}, limit=seconds(4))
"""

from fastvrrp.sim.clock import VirtualClock
from fastvrrp.sim.lan import Lan, Link
from fastvrrp.sim.node import VirtualRouterNode
from fastvrrp.sim.reload import Wanted
from fastvrrp.sim.world import Entry, World

__all__ = ["Entry", "Lan", "Link", "VirtualClock", "VirtualRouterNode", "Wanted", "World"]
