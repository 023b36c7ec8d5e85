"""Rows of `vrrp_probe`, which keepalived does not have."""

from fastvrrp.config.model import (
    FileProbe,
    HttpProbe,
    InterfaceProbe,
    ProbeConfig,
    ProcessProbe,
    TcpProbe,
    UnixProbe,
)
from fastvrrp.config.row import Block, Keyword
from fastvrrp.config.values import Flag, Integer, Kind, Name, Seconds, Weight
from fastvrrp.config.values.probes import (
    FileTarget,
    HttpTarget,
    InterfaceTarget,
    ProcessTarget,
    TcpTarget,
    UnixTarget,
)

__all__ = ["VRRP_PROBE"]

_TIME = Seconds("0.01", "3600", step=1_000_000)


def _target(name: str, kind: Kind, model: type, doc: str) -> Keyword:
    """Return the keyword of one kind of probe."""

    def is_one(probe: ProbeConfig) -> bool:
        return isinstance(probe.target, model)

    return Keyword(name, kind, doc, to="target", written_if=is_one)


VRRP_PROBE = Block(
    "vrrp_probe",
    to="probes",
    many=True,
    model=ProbeConfig,
    header=Keyword("NAME", Name("name for this vrrp_probe"), "Its name.", to="name"),
    doc="A check that starts no program and may be made every 10 ms, of one thing: a keyword from "
    "tcp to interface. Its name follows the keyword; keepalived does not know it.",
    rows=(
        _target(
            "tcp",
            TcpTarget(),
            TcpProbe,
            "A TCP port to which a connection can be made. Its program does not see it.",
        ),
        _target(
            "http",
            HttpTarget(),
            HttpProbe,
            "A page whose status is 200 to 399, or the one that is given.",
        ),
        _target(
            "unix",
            UnixTarget(),
            UnixProbe,
            "A Unix stream socket to which a connection can be made.",
        ),
        _target(
            "process",
            ProcessTarget(),
            ProcessProbe,
            "A process of this name runs; the first 15 characters count.",
        ),
        _target(
            "file",
            FileTarget(Seconds("0.001", "31536000", step=1_000_000)),
            FileProbe,
            "A file exists, and was written no more than so many seconds ago.",
        ),
        _target(
            "interface",
            InterfaceTarget(),
            InterfaceProbe,
            "An interface is up and has a carrier.",
        ),
        Keyword("interval", _TIME, "How often it is made.", to="interval"),
        Keyword(
            "timeout", _TIME, "After this time it has failed.", to="timeout", default="interval"
        ),
        Keyword(
            "weight",
            Weight(clips=True),
            "Added to the priority: positive on success, negative on failure. "
            "0: failure is a fault.",
            to=("weight", "reverse"),
        ),
        Keyword("rise", Integer(1, 2**31 - 1), "Successes in a row that count.", to="rise"),
        Keyword("fall", Integer(1, 2**31 - 1), "Failures in a row that count.", to="fall"),
        Keyword(
            "init_fail",
            Flag(),
            "It counts as failed until it has succeeded rise times.",
            to="init_fail",
        ),
    ),
)
