"""One instance of the configuration as the core needs it, for the engine and the simulation."""

from fastvrrp.config.model import Address, GlobalConfig, InstanceConfig, OldChecksum
from fastvrrp.core.acts import HmacParams, RouterParams
from fastvrrp.names import Fault

__all__ = ["router_params"]

_OLD_CHECKSUM = {OldChecksum.AUTO: 0, OldChecksum.ALWAYS: 1, OldChecksum.NEVER: 2}


def router_params(
    config: InstanceConfig,
    common: GlobalConfig,
    *,
    source: Address | None = None,
    port: int = 0,
    group: int = -1,
    hmac: HmacParams | None = None,
    faults: Fault = Fault(0),  # noqa: B008 - an immutable flag
) -> RouterParams:
    """Return `config` as the core needs it; `source` where the configuration names none, `group` is
    the number of its sync group, `hmac` its keys (see keys.py)."""
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
        allowed_peers=tuple(address.packed for address in config.allowed_peers),
        peer_ttls=tuple((peer.min_ttl, peer.max_ttl) for peer in config.peers),
        any_source=config.unicast_any_src,
        group_address=config.multicast_group(common).packed,
        auth_type=config.auth.type.value if config.auth else 0,
        password=config.auth.password.reveal() if config.auth else b"",
        hmac=hmac,
        garp=config.garp,
        faults=int(faults),
        port=port,
        group=group,
        strict=config.strict,
        down_timer_adverts=config.down_timer_adverts,
        timer_expired_backup=config.timer_expired_backup or 0,
        owner_ignore_adverts=config.owner_ignore_adverts,
        lower_prio_no_advert=config.lower_prio_no_advert,
        higher_prio_send_advert=config.higher_prio_send_advert,
        skip_check_addresses=config.skip_check_adv_addr,
        checksum=int(config.v3_checksum_as_v2),
        old_checksum=_OLD_CHECKSUM[config.old_checksum],
    )
