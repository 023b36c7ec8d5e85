"""The whole configuration."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from fastvrrp.config.diagnostics import Diagnostic, Severity
from fastvrrp.config.model.base import Reference
from fastvrrp.config.model.globals import GlobalConfig, ProcessConfig
from fastvrrp.config.model.instance import InstanceConfig
from fastvrrp.config.model.lvs import Ssl, VirtualServer, VirtualServerGroup
from fastvrrp.config.model.network import (
    GarpGroup,
    InterfaceDelay,
    LinkbeatInterface,
    Route,
    Rule,
    VirtualAddress,
)
from fastvrrp.config.model.probes import ProbeConfig
from fastvrrp.config.model.tracking import (
    BfdInstance,
    ScriptConfig,
    SyncGroup,
    TrackFile,
    TrackGroup,
    TrackProcess,
)
from fastvrrp.config.model.value import Value
from fastvrrp.errors import ConfigError

__all__ = ["Config"]

_UNUSABLE = ("FV103", "FV104")
"""Codes of values that are malformed or out of range."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Config(Value):
    """Everything that a keepalived.conf says."""

    global_defs: GlobalConfig = GlobalConfig()
    process: ProcessConfig = ProcessConfig()
    scripts: tuple[ScriptConfig, ...] = ()
    files: tuple[TrackFile, ...] = ()
    processes: tuple[TrackProcess, ...] = ()
    probes: tuple[ProbeConfig, ...] = ()
    bfd_instances: tuple[BfdInstance, ...] = ()
    groups: tuple[SyncGroup, ...] = ()
    instances: tuple[InstanceConfig, ...] = ()
    track_groups: tuple[TrackGroup, ...] = ()
    static_addresses: tuple[VirtualAddress, ...] = ()
    static_routes: tuple[Route, ...] = ()
    static_rules: tuple[Rule, ...] = ()
    interface_delays: tuple[InterfaceDelay, ...] = ()
    linkbeat_interfaces: tuple[LinkbeatInterface, ...] = ()
    garp_groups: tuple[GarpGroup, ...] = ()
    virtual_servers: tuple[VirtualServer, ...] = ()
    virtual_server_groups: tuple[VirtualServerGroup, ...] = ()
    ssl: Ssl | None = None
    diagnostics: tuple[Diagnostic, ...] = field(default=(), compare=False, repr=False)
    """Warnings found while reading, in source order."""

    references: tuple[Reference, ...] = field(default=(), compare=False, repr=False)
    """Interfaces and accounts that the text names, in source order; the host must have them."""

    is_checked: bool = field(default=False, init=False, compare=False, repr=False)
    """True of what `load`, `loads` and `checked` return, False of what `replace` makes of it."""

    @property
    def unsupported(self) -> tuple[Diagnostic, ...]:
        """What keeps the engine from running this configuration, in source order."""
        return tuple(d for d in self.diagnostics if d.severity is Severity.UNSUPPORTED)

    def to_text(self) -> str:
        """Return a keepalived.conf that loads to an equal configuration.

        Secrets are in clear in it. Raises ConfigError for a value that no text can say.
        """
        from fastvrrp.config.writer import to_text  # noqa: PLC0415 - who only runs needs no schema

        return to_text(self)

    def to_dict(self) -> dict[str, Any]:
        """Return the configuration as JSON has it; docs/config.schema.json describes the form.

        Times are in nanoseconds, secrets are `***`.
        """
        from fastvrrp.config.jsonform import to_json  # noqa: PLC0415 - who only runs needs it not

        made: dict[str, Any] = to_json(self)
        return made

    def checked(self) -> Config:
        """Return this configuration as it runs: checked and completed by the rules for texts.

        It is returned as it is if it was read from text. Raises ConfigError as `load` does, and for
        a value that no keyword takes, where a text goes on without it; the lines that its findings
        show are those of `to_text`.
        """
        if self.is_checked:
            return self
        from fastvrrp.config import loads  # noqa: PLC0415 - it imports this module
        from fastvrrp.config.writer import FILENAME, to_text  # noqa: PLC0415

        config = loads(to_text(self), filename=FILENAME)
        if any(_is_unusable(found) for found in config.diagnostics):
            raise ConfigError(
                [
                    replace(found, severity=Severity.ERROR) if _is_unusable(found) else found
                    for found in config.diagnostics
                ]
            )
        return config


def _is_unusable(found: Diagnostic) -> bool:
    """Tell if a finding is about a value that was left out."""
    return found.severity is Severity.WARNING and found.code in _UNUSABLE
