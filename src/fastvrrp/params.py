"""One instance of the configuration as the core needs it, for the engine and the simulation."""

from fastvrrp.config.model import Address, InstanceConfig
from fastvrrp.core.acts import RouterParams
from fastvrrp.names import Fault

__all__ = ["router_params"]


def router_params(
    config: InstanceConfig,
    *,
    source: Address | None = None,
    port: int = 0,
    faults: Fault = Fault(0),  # noqa: B008 - an immutable flag
) -> RouterParams:
    """Return `config` as the core needs it; `source` where the configuration names none."""
    sender = config.source or source
    return RouterParams(
        vrid=config.vrid,
        version=int(config.version),
        family=config.family,
        priority=config.priority,
        start_active=config.initial_active,
        preempt=config.preempt,
        preempt_delay=config.preempt_delay,
        advert_interval=config.advert_interval,
        addresses=tuple(vip.address.ip.packed for vip in config.addresses),
        source=sender.packed if sender is not None else b"",
        peers=tuple(peer.address.packed for peer in config.peers),
        auth_type=config.auth.type.value if config.auth else 0,
        password=config.auth.password.reveal() if config.auth else b"",
        garp=config.garp,
        faults=int(faults),
        port=port,
    )
