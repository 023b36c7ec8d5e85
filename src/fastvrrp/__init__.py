"""VRRP for Linux: the engine of fastvrrpd, to be used inside another program.

Names are imported on first use: the watchdog process of the daemon is part of this package, and
must not carry an engine, a netlink library and a parser that it never runs (docs/adr/0009).
"""

from importlib import import_module

TYPE_CHECKING = False  # importing typing for it would cost the watchdog 1.5 MB
if TYPE_CHECKING:
    from fastvrrp import sim
    from fastvrrp.config import Config, Diagnostic, load, loads
    from fastvrrp.engine import Engine
    from fastvrrp.errors import (
        ConfigError,
        EngineError,
        FastVrrpError,
        KernelError,
        RecordError,
    )
    from fastvrrp.names import Fault, Reason, State
    from fastvrrp.report.snapshot import InstanceSnapshot, Snapshot

__all__ = [
    "Config",
    "ConfigError",
    "Diagnostic",
    "Engine",
    "EngineError",
    "FastVrrpError",
    "Fault",
    "InstanceSnapshot",
    "KernelError",
    "Reason",
    "RecordError",
    "Snapshot",
    "State",
    "StateChange",
    "__version__",
    "load",
    "loads",
    "sim",
]

__version__ = "0.1.0"

_MODULES = {
    "fastvrrp.config": ("Config", "Diagnostic", "load", "loads"),
    "fastvrrp.engine": ("Engine",),
    "fastvrrp.report.change": ("StateChange",),
    "fastvrrp.errors": (
        "ConfigError",
        "EngineError",
        "FastVrrpError",
        "KernelError",
        "RecordError",
    ),
    "fastvrrp.names": ("Fault", "Reason", "State"),
    "fastvrrp.report.snapshot": ("InstanceSnapshot", "Snapshot"),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> object:
    if name == "sim":
        return import_module("fastvrrp.sim")
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value
