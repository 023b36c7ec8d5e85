"""Texts with scripts, files, processes, BFD sessions and what tracks them."""

from fastvrrp import config
from fastvrrp.config import Severity
from fastvrrp.config.model import Config, InstanceConfig, SyncGroup, TrackUse

SCRIPT = 'vrrp_script s {\nscript "/usr/bin/true"\n%s\n}\n'
FILE = "track_file f {\nfile /run/f\n%s\n}\n"
PROCESS = "vrrp_track_process p {\nprocess nginx\n%s\n}\n"
BFD = "bfd_instance d {\nneighbor_ip 192.0.2.254\n%s\n}\n"
PROBE = "vrrp_probe w {\ntcp 192.0.2.9:80\n%s\n}\n"
TRACKERS = SCRIPT % "" + FILE % "" + PROCESS % "" + PROBE % "" + BFD % ""
BLOCKS = {
    "track_script": ("scripts", "s"),
    "track_interface": ("interfaces", "eth7"),
    "track_file": ("files", "f"),
    "track_process": ("processes", "p"),
    "track_probe": ("probes", "w"),
    "track_bfd": ("bfd", "d"),
}
OWNER = "priority 255\n"
GROUP = "vrrp_sync_group G {\ngroup {\nA B\n}\n%s\n}\n"


def instance(name: str = "A", body: str = "") -> str:
    vrid = ord(name)
    return (
        f"vrrp_instance {name} {{\ninterface eth0\nvirtual_router_id {vrid}\n{body}\n"
        f"virtual_ipaddress {{\n192.0.2.{vrid}/24\n}}\n}}\n"
    )


def block(keyword: str, *lines: str) -> str:
    return "\n".join([f"{keyword} {{", *lines, "}\n"])


def codes(loaded: Config, severity: Severity = Severity.WARNING) -> list[str]:
    return [one.code for one in loaded.diagnostics if one.severity is severity]


def read(text: str, *warned: str) -> Config:
    """Return a configuration; what keepalived reports as well must be `warned`."""
    loaded = config.loads(text)
    assert codes(loaded) == list(warned), [str(one) for one in loaded.diagnostics]
    return loaded


def uses(loaded: Config, keyword: str, name: str = "A") -> list[tuple[str, int | None, bool]]:
    """Return what an instance or a sync group tracks."""
    owners: tuple[SyncGroup | InstanceConfig, ...] = (*loaded.groups, *loaded.instances)
    owner = next(one for one in owners if one.name == name)
    lines: tuple[TrackUse, ...] = getattr(owner, BLOCKS[keyword][0])
    return [(line.name, line.weight, line.reverse) for line in lines]
