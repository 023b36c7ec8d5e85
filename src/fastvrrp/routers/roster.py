"""The virtual routers that a configuration asks of this host, before the host is touched: what is
wrong is found while everything is as it was."""

from typing import NamedTuple

from fastvrrp.clock import boottime_ns
from fastvrrp.config.model import Config, GlobalConfig, InstanceConfig
from fastvrrp.core.acts import RouterParams
from fastvrrp.errors import EngineError
from fastvrrp.host.link_users import own_link
from fastvrrp.host.links import LinkTable
from fastvrrp.host.prepare import fit
from fastvrrp.host.vmac_plan import interface_of
from fastvrrp.keys import hmac_params
from fastvrrp.names import Fault
from fastvrrp.params import router_params

__all__ = ["Candidate", "roster", "start_delay"]

_USUAL_MTU = 1500
"""Of an interface that is not there yet."""


class Candidate(NamedTuple):
    """One instance as it will run: without the addresses that do not fit an advert, the number of
    its sync group (-1: none), and what the core is given."""

    instance: InstanceConfig
    group: int
    params: RouterParams


def roster(config: Config, table: LinkTable) -> list[Candidate]:
    """Return the instances of `config` in their order. Reads the files of keys.

    Raises EngineError for an interface that is not there, unless `dynamic_interfaces` lets it come
    later, and for what the core cannot take; ConfigError for keys that cannot be used.
    """
    groups = {name: n for n, group in enumerate(config.groups) for name in group.members}
    found = []
    for configured in config.instances:
        if not config.global_defs.dynamic_interfaces:
            _require_interfaces(configured, table)
        link = own_link(configured, table)
        instance = fit(configured, _USUAL_MTU if link is None else link.mtu)
        group = groups.get(instance.name, -1)
        found.append(Candidate(instance, group, _params(instance, config.global_defs, group)))
    return found


def _params(instance: InstanceConfig, common: GlobalConfig, group: int) -> RouterParams:
    hmac = hmac_params(instance)
    try:
        return router_params(
            instance, common, port=-1, group=group, hmac=hmac, faults=Fault.PENDING
        )
    except ValueError as error:
        raise EngineError(f"instance {instance.name} cannot be run: {error}") from error


def _require_interfaces(instance: InstanceConfig, table: LinkTable) -> None:
    wanted = {instance.interface}
    wanted |= {interface_of(instance, v) for v in (*instance.addresses, *instance.excluded)}
    wanted.discard("")
    for name in sorted(wanted):
        if table.link(name) is None:
            where = f" ({instance.span})" if instance.span is not None else ""
            raise EngineError(
                f"instance {instance.name}{where}: there is no interface {name}; `ip link` lists "
                "those of this network namespace; with dynamic_interfaces it may come later"
            )


def start_delay(common: GlobalConfig) -> int:
    """Return for how many ns nothing is sent or heard yet: the longer of the two delays."""
    since_boot = common.vrrp_delay_after_boot - boottime_ns()
    return max(common.vrrp_startup_delay, since_boot, 0)
