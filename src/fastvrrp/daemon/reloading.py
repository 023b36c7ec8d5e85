"""What a reload may not change, beyond what is wrong with a configuration by itself."""

from __future__ import annotations

from fastvrrp.errors import FastVrrpError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastvrrp.config.model import Config

__all__ = ["ReloadError", "check"]

_UNKNOWN = "FV101"


class ReloadError(FastVrrpError):
    """The new configuration may run, but not as the successor of the one that runs."""


def check(running: Config, new: Config) -> None:
    """Raise ReloadError, with a line for each reason, if `new` may not replace `running`."""
    reasons = [*_lost(new), *_fixed(running, new), *_unknown(running, new)]
    if reasons:
        raise ReloadError("\n".join(reasons))


def _lost(new: Config) -> Iterator[str]:
    """keepalived: takes it as the wish to give up every address."""
    if not new.instances:
        yield "the configuration has no vrrp_instance; to give up the addresses, stop the daemon"


def _fixed(running: Config, new: Config) -> Iterator[str]:
    """Yield what lasts as long as the process."""
    pairs = {
        "net_namespace": (running.process.net_namespace, new.process.net_namespace),
        "instance": (running.process.instance, new.process.instance),
        "nftables": (running.global_defs.firewall.table, new.global_defs.firewall.table),
        "disable_local_igmp": (
            running.global_defs.disable_local_igmp,
            new.global_defs.disable_local_igmp,
        ),
        "tmp_config_directory": (
            running.global_defs.tmp_config_directory,
            new.global_defs.tmp_config_directory,
        ),
    }
    for keyword, (old, wanted) in pairs.items():
        if old != wanted:
            yield f"{keyword} cannot change while the daemon runs; restart it for that"


def _unknown(running: Config, new: Config) -> Iterator[str]:
    """Yield words that mean nothing and were not there before: they are mistakes in what was just
    edited, and what they were meant to be would be missing."""
    known = {one.message for one in running.diagnostics if one.code == _UNKNOWN}
    for one in new.diagnostics:
        if one.code == _UNKNOWN and one.message not in known:
            yield str(one)
