"""What keywords mean together: defaults, conflicts, what must not be twice. One function per rule.

Where keepalived corrects a configuration and goes on, so do we, with a warning. An error is what
it does not run with either.
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from fastvrrp.config.assemble import fields_of
from fastvrrp.config.lint import lint
from fastvrrp.config.model import Config
from fastvrrp.config.rules.around import Around, Maker, Waiver
from fastvrrp.config.rules.auth import make_auth
from fastvrrp.config.rules.checkers import CHECKER_MAKERS
from fastvrrp.config.rules.groups import (
    make_sync_group,
    make_track_group,
    settle_sync_groups,
)
from fastvrrp.config.rules.instance import make_instance
from fastvrrp.config.rules.lvs import (
    check_services,
    make_real_server,
    make_virtual_server,
)
from fastvrrp.config.rules.network import (
    give_priorities,
    make_garp_group,
    settle_garp_groups,
    settle_track_groups,
)
from fastvrrp.config.rules.script import check_used, make_script
from fastvrrp.config.rules.service_groups import make_group
from fastvrrp.config.rules.trackers import make_bfd, make_probe, make_process, settle_sessions
from fastvrrp.config.rules.unicast import (
    check_unique_vrids,
    waived_keywords,
)

if TYPE_CHECKING:
    from fastvrrp.config.collect import Collector, Settings

__all__ = ["make_config"]

MAKERS: dict[str, Maker] = {
    "authentication": make_auth,
    "vrrp_instance": make_instance,
    "vrrp_script": make_script,
    "vrrp_track_process": make_process,
    "bfd_instance": make_bfd,
    "vrrp_probe": make_probe,
    "vrrp_sync_group": make_sync_group,
    "track_group": make_track_group,
    "virtual_server": make_virtual_server,
    "virtual_server_group": make_group,
    "real_server": make_real_server,
    "garp_group": make_garp_group,
    **CHECKER_MAKERS,
}
"""The rule that makes the model of a block; blocks without one are made as their rows say."""

WAIVERS: dict[str, Waiver] = {
    "vrrp_instance": waived_keywords,
}
"""Required keywords that a block can do without."""

SETTLERS = (
    give_priorities,
    settle_track_groups,
    settle_garp_groups,
    settle_sync_groups,
    settle_sessions,
)
"""What completes lines before any block is made: it needs all of them."""

CHECKS = (check_unique_vrids, check_used, check_services, lint)
"""What is looked at when every block has been made."""


def make_config(root: Settings, collector: Collector) -> Config:
    """Return the configuration; it is only usable if no error was reported."""
    around = Around(root, collector, MAKERS, WAIVERS)
    for settle in SETTLERS:
        settle(around)
    known = {one.name for one in fields(Config)}
    made = {name: value for name, value in fields_of(root, around.make).items() if name in known}
    for check in CHECKS:
        check(around)
    return Config(**made)  # type: ignore[arg-type]  # checked by the schema's rows
