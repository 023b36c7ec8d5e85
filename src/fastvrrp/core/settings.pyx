"""What the configuration says of one virtual router, laid out for the core (cold)."""

from libc.string cimport memcpy, memset

from fastvrrp.core.model cimport settings_t
from fastvrrp.core.reactions cimport address_digest
from fastvrrp.wire.auth cimport prepare_key
from fastvrrp.wire.hmac cimport prepare_hmac_key
from fastvrrp.wire.packet cimport AUTH_NONE, MAX_PEERS, profile_t

from fastvrrp.core.acts import RouterParams

assert RouterParams.MAX_PEERS == MAX_PEERS


cdef int lay_out(params_t* target, params) except -1:
    """See the .pxd. The padding is 0, so that what is equal is equal byte for byte."""
    memset(target, 0, sizeof(params_t))
    target.priority = params.priority
    target.faults = params.faults
    _fill_settings(&target.settings, params)
    _fill_profile(&target.profile, params)
    if params.hmac is not None:
        _fill_hmac(target, params.hmac)
    return 0


cdef int _fill_settings(settings_t* settings, params) except -1:
    cdef bytes joined = b"".join(params.addresses)
    settings.version = params.version
    settings.address_len = 4 if params.family == 4 else 16
    settings.start_active = params.start_active
    settings.preempt = params.preempt
    settings.down_timer_adverts = params.down_timer_adverts
    settings.timer_expired_backup = params.timer_expired_backup
    settings.owner_ignores_adverts = params.owner_ignore_adverts
    settings.lower_prio_no_advert = params.lower_prio_no_advert
    settings.higher_prio_send_advert = params.higher_prio_send_advert
    settings.skip_check_addresses = params.skip_check_addresses
    settings.old_checksum = params.old_checksum
    settings.address_count = len(params.addresses)
    settings.address_digest = address_digest(joined, settings.address_count, settings.address_len)
    settings.advert_interval = params.advert_interval
    settings.preempt_delay = params.preempt_delay
    settings.garp.delay = params.garp.delay
    settings.garp.repeat = params.garp.repeat
    settings.garp.refresh = params.garp.refresh
    settings.garp.refresh_repeat = params.garp.refresh_repeat
    settings.garp.lower_delay = params.garp.lower_prio_delay
    settings.garp.lower_repeat = params.garp.lower_prio_repeat
    return 0


cdef int _fill_profile(profile_t* profile, params) except -1:
    cdef bytes password
    profile.version = params.version
    profile.family = params.family
    profile.vrid = params.vrid
    profile.advert_interval = params.advert_interval
    profile.unicast = bool(params.peers)
    profile.any_source = params.any_source
    profile.no_addresses = not params.addresses
    profile.strict = params.strict
    copy_address(profile.group, params.group_address)
    profile.n_peers = len(params.peers or params.allowed_peers)
    for i, peer in enumerate(params.peers or params.allowed_peers):
        copy_address(profile.peers[i], peer)
        low, high = params.peer_ttls[i] if params.peer_ttls else (0, 255)
        profile.peer_min_ttl[i] = low
        profile.peer_max_ttl[i] = high
    copy_address(profile.own, params.source)
    profile.auth_type = params.auth_type
    if params.auth_type != AUTH_NONE:
        password = bytes(params.password[:8]).ljust(8, b"\0")
        memcpy(profile.password, <const uint8_t*>password, 8)
        prepare_key(&profile.ah_key, profile.password)
    return 0


cdef int _fill_hmac(params_t* target, hmac) except -1:
    cdef profile_t* profile = &target.profile
    cdef bytes secret
    target.settings.holds_for_stale = hmac.hold
    profile.n_hmac_keys = len(hmac.keys)
    profile.hmac_mode = hmac.mode
    profile.hmac_monotonic = hmac.monotonic
    profile.hmac_window = hmac.window
    for i, (number, key) in enumerate(hmac.keys):
        secret = bytes(key)
        prepare_hmac_key(&profile.hmac_keys[i], <uint8_t>number, secret, len(secret))
        if number == hmac.active_key:
            profile.hmac_active = <uint8_t>i
    return 0


cdef int copy_address(uint8_t* target, source) except -1:
    """See the .pxd."""
    cdef bytes raw = bytes(source)
    if len(raw) not in (0, 4, 16):
        raise ValueError("an address is 4 or 16 bytes")
    memset(target, 0, 16)
    memcpy(target, <const uint8_t*>raw, len(raw))
    return 0
