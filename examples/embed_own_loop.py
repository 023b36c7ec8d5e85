"""The engine inside a program with its own select loop: one descriptor, one call, no thread.

usage: embed_own_loop.py INTERFACE VRID ADDRESS

The configuration is built in Python, and the host's addresses stay the program's business: `host=`
is told when to set and when to remove them. Needs CAP_NET_RAW.
"""

import selectors
import signal
import socket
import sys
from ipaddress import ip_interface

import fastvrrp as fv
from fastvrrp.config.model import InstanceConfig, VirtualAddress


class Addresses:
    """Where an appliance would program its hardware."""

    def install(self, instance: InstanceConfig) -> None:
        """Take the addresses."""
        print("install", *(vip.address for vip in instance.addresses), flush=True)

    def withdraw(self, instance: InstanceConfig) -> None:
        """Give them up."""
        print("withdraw", *(vip.address for vip in instance.addresses), flush=True)


def main(interface: str, vrid: str, address: str) -> None:
    """Run one virtual router until SIGINT or SIGTERM."""
    instance = InstanceConfig(
        name="appliance",
        interface=interface,
        vrid=int(vrid),
        addresses=(VirtualAddress(address=ip_interface(address)),),
    )
    engine = fv.Engine(fv.Config(instances=(instance,)), host=Addresses())
    engine.subscribe(lambda change: print(change.new.name, change.text, flush=True))

    wake, told = socket.socketpair()
    told.setblocking(False)
    signal.set_wakeup_fd(told.fileno())
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)

    with engine, selectors.DefaultSelector() as selector:
        selector.register(engine.fileno(), selectors.EVENT_READ, engine.process)
        selector.register(wake, selectors.EVENT_READ, None)
        while True:
            for key, _ in selector.select():
                if key.data is None:
                    return
                key.data()


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    try:
        main(*sys.argv[1:])
    except fv.FastVrrpError as error:
        sys.exit(str(error))
