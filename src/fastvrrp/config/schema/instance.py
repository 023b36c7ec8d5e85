"""Rows of `vrrp_instance`."""

from fastvrrp.clock import NS_PER_SECOND
from fastvrrp.config.model import (
    AntiReplay,
    Auth,
    AuthHmac,
    AuthType,
    GlobalConfig,
    HmacMode,
    InstanceConfig,
    StaleAction,
    Version,
)
from fastvrrp.config.row import IGNORED, Block, Keyword
from fastvrrp.config.schema.garp import extra_garp_rows, garp_rows
from fastvrrp.config.schema.network import ROUTE_ROWS
from fastvrrp.config.schema.notify import notify_rows
from fastvrrp.config.schema.tracking import TRACK_ROWS
from fastvrrp.config.values import (
    Boolean,
    Choice,
    CommandLine,
    Flag,
    Integer,
    InterfaceName,
    IpAddress,
    MulticastGroup,
    Name,
    OptionalInteger,
    Password,
    Seconds,
)
from fastvrrp.config.values.addresses import AddressLine
from fastvrrp.config.values.instance import (
    HmacKeyLine,
    HmacNumber,
    NotedBoolean,
    OldChecksumMode,
    OptionalCommand,
    PeerLine,
)
from fastvrrp.config.values.vmac import IpvlanWords, VmacWords

__all__ = ["VRRP_INSTANCE"]

_Rows = tuple[Keyword | Block, ...]

_WIRE = "It changes what is sent or accepted."

_AUTHENTICATION = Block(
    "authentication",
    doc="VRRPv2 authentication. It does not protect against attackers on the link.",
    to="auth",
    model=Auth,
    rows=(
        Keyword(
            "auth_type",
            Choice({"PASS": AuthType.PASS, "AH": AuthType.AH}),
            "PASS: password in clear text. AH: IPsec authentication header.",
            to="type",
            rfc="RFC 2338 §5.3.6",
        ),
        Keyword(
            "auth_pass",
            Password(),
            "The password; only 8 bytes count.",
            to="password",
            rfc="RFC 2338 §5.3.10",
        ),
    ),
)

_OWNER = 255


def _never(_: AuthHmac, __: GlobalConfig) -> None:
    """It depends on the instance around the block: what it would be is not known here."""


def _state_without(instance: InstanceConfig, _: GlobalConfig) -> bool:
    return instance.priority == _OWNER


def _priority_without(instance: InstanceConfig, _: GlobalConfig) -> int:
    return _OWNER if instance.initial_active and instance.priority != _OWNER else 100


def _version_without(instance: InstanceConfig, global_defs: GlobalConfig) -> Version:
    return Version.V3 if _is_ipv6(instance) else global_defs.vrrp_version


def _check_src_without(instance: InstanceConfig, global_defs: GlobalConfig) -> bool:
    limited = any((peer.min_ttl, peer.max_ttl) != (0, 255) for peer in instance.peers)
    return bool(instance.peers) and (limited or global_defs.vrrp_check_unicast_src)


def _accept_without(instance: InstanceConfig, _: GlobalConfig) -> bool:
    return not instance.strict or instance.priority == _OWNER


def _is_ipv6(instance: InstanceConfig) -> bool:
    """Tell the family of an instance from all that shows it."""
    shown = [
        *(one.address for one in instance.addresses),
        *(one.address for one in instance.peers),
        instance.source,
        instance.mcast_group,
        None if instance.ipvlan is None else instance.ipvlan.address,
    ]
    return instance.native_ipv6 or any(one.version == 6 for one in shown if one is not None)


def _is_unicast(instance: InstanceConfig) -> bool:
    return bool(instance.peers)


def _is_multicast(instance: InstanceConfig) -> bool:
    return not instance.peers


_AUTH_HMAC = Block(
    "auth_hmac",
    doc="A trailer with a keyed digest behind every advert, which protects it against others "
    "on the link.",
    to="hmac",
    model=AuthHmac,
    rows=(
        Keyword(
            "key",
            HmacKeyLine(),
            "A key: its number, and 32 to 64 bytes, the same on all routers. One a line.",
            to="keys",
            many=True,
        ),
        Keyword(
            "active_key",
            HmacNumber(1, 255),
            "The number of the key that own adverts are made with.",
            to="active_key",
        ),
        Keyword(
            "anti_replay",
            Choice({one.value: one for one in AntiReplay}),
            "What a trailer is recognised by if it is sent again: the time of day, or a counter.",
            to="anti_replay",
        ),
        Keyword(
            "time_window",
            HmacNumber(1, 300, unit=NS_PER_SECOND),
            "How far the time of a trailer may be off.",
            to="time_window",
            default="3 times advert_int in whole seconds, 5 to 300 seconds",
            without=_never,
        ),
        Keyword(
            "mode",
            Choice({one.value: one for one in HmacMode}),
            "enforce: adverts without a trailer are dropped; permissive: they are used; "
            "receive-only: they are used, and own adverts carry none. One with a wrong trailer is "
            "dropped in any case.",
            to="mode",
        ),
        Keyword(
            "stale_action",
            Choice({one.value: one for one in StaleAction}),
            "What a backup does when authentic adverts of a better router are outside time_window: "
            "reject: take over; hold: wait, although whoever recorded adverts can then keep it "
            "back. keepalived does not know this keyword.",
            to="stale_action",
        ),
    ),
)

_CORE: _Rows = (
    Keyword(
        "state",
        Choice({"MASTER": True, "BACKUP": False}),
        "MASTER only sets the default priority to 255 and switches nopreempt and "
        "preempt_delay off: a router with a priority below 255 always starts as BACKUP.",
        to="initial_active",
        default="MASTER with priority 255, else BACKUP",
        without=_state_without,
        true_wins=True,
    ),
    Keyword(
        "interface",
        InterfaceName(),
        "Interface that adverts use. A unicast instance with unicast_src_ip can do without.",
        to="interface",
        required="interface eth0",
    ),
    Keyword(
        "virtual_router_id",
        Integer(1, 255),
        "The VRID: the same on all routers of this virtual router, used by no other on the link.",
        to="vrid",
        required="virtual_router_id 51",
        rfc="RFC 9568 §5.2.3",
    ),
    Keyword(
        "priority",
        Integer(1, 255, hint="255 is for the owner of the addresses"),
        "The highest becomes active.",
        to="priority",
        default="255 with state MASTER, else 100",
        without=_priority_without,
        rfc="RFC 9568 §5.2.4",
    ),
    Keyword(
        "advert_int",
        Seconds("0.01", "255"),
        "Interval between adverts. VRRPv2: whole seconds; VRRPv3: 0.01 to 40.95 seconds.",
        to="advert_interval",
        rfc="RFC 9568 §6.1",
    ),
    Keyword(
        "version",
        Choice({"2": Version.V2, "3": Version.V3}),
        "VRRP version.",
        to="version",
        default="vrrp_version in global_defs; 3 for IPv6",
        without=_version_without,
        first_wins=True,
    ),
    Keyword(
        "native_ipv6",
        Flag(),
        "This is an IPv6 instance, which the addresses tell as well.",
        to="native_ipv6",
    ),
    Keyword(
        "strict_mode",
        Boolean(),
        "Behave exactly as the RFC says, and correct what does not agree with it.",
        to="strict",
        inherits="vrrp_strict",
    ),
    Keyword(
        "nopreempt", Flag(value=False), "Do not take over from a lower priority.", to="preempt"
    ),
    Keyword("preempt", Flag(), "Take over from a lower priority.", to="preempt"),
    Keyword(
        "preempt_delay",
        Seconds("0", "1000"),
        "Wait before taking over from a lower priority.",
        to="preempt_delay",
    ),
    Keyword(
        "down_timer_adverts",
        Integer(1, 100),
        "How many adverts must be missing before this router takes over.",
        to="down_timer_adverts",
        inherits="vrrp_down_timer_adverts",
    ),
    *(
        Keyword(
            name,
            OptionalInteger(1, 254, absent=254),
            "Become backup if this program did not run for so long that another router took over; "
            "the highest priority of the others.",
            to="timer_expired_backup",
            instead=instead,
            alias=instead is not None,
        )
        for name, instead in (
            ("timer_expired_backup", None),
            ("thread_timer_expired", "timer_expired_backup"),
        )
    ),
    Keyword(
        "owner_ignore_adverts",
        Boolean(),
        "With priority 255, drop the adverts of others.",
        to="owner_ignore_adverts",
        inherits="vrrp_owner_ignore_adverts",
    ),
    Keyword(
        "lower_prio_no_advert",
        Boolean(),
        "As active, do not answer an advert of lower priority.",
        to="lower_prio_no_advert",
        inherits="vrrp_lower_prio_no_advert",
    ),
    Keyword(
        "higher_prio_send_advert",
        Boolean(),
        "As active, send one more advert before giving way to a higher priority.",
        to="higher_prio_send_advert",
        inherits="vrrp_higher_prio_send_advert",
    ),
    Keyword(
        "accept",
        Flag(),
        "Accept packets to the virtual addresses while active.",
        to="accept",
        default="on; off with strict_mode, unless priority is 255",
        without=_accept_without,
    ),
    Keyword(
        "no_accept",
        Flag(value=False),
        "Drop packets to the virtual addresses, and from them, unless priority is 255.",
        to="accept",
    ),
    Keyword(
        "dont_track_primary",
        Flag(value=False),
        "The link of the interface makes no difference, as long as there is the interface.",
        to="track_primary",
    ),
)

_ADDRESSES: _Rows = (
    Block(
        "virtual_ipaddress",
        doc="Addresses of the virtual router, advertised in this order. One a line.",
        to="addresses",
        entry=AddressLine(),
    ),
    Block(
        "virtual_ipaddress_excluded",
        doc="Addresses of the virtual router that are not in adverts. One a line.",
        to="excluded",
        entry=AddressLine(),
    ),
    *ROUTE_ROWS,
    Keyword(
        "no_virtual_ipaddress",
        Flag(),
        "There are no virtual addresses, and that is meant.",
        to="without_addresses",
    ),
    Keyword(
        "promote_secondaries",
        Flag(),
        "Let the other addresses of a network stay when its first one is removed.",
        to="promote_secondaries",
    ),
    Keyword(
        "skip_check_adv_addr",
        NotedBoolean(),
        "Do not compare the addresses in adverts from the active router that is known.",
        to="skip_check_adv_addr",
        inherits="vrrp_skip_check_adv_addr",
    ),
)

_SENDING: _Rows = (
    *(
        Keyword(
            name,
            IpAddress(),
            doc,
            to="source",
            default="the first address of the interface that is no virtual one",
            written_if=written_if,
        )
        for name, doc, written_if in (
            ("mcast_src_ip", "Source address of adverts.", _is_multicast),
            ("unicast_src_ip", "Source address of adverts, with unicast_peer.", _is_unicast),
        )
    ),
    Keyword(
        "track_src_ip",
        Flag(),
        "This machine can only be active while it has the source address.",
        to="track_source",
    ),
    Keyword(
        "mcast_dst_ip",
        MulticastGroup(),
        "Multicast group of adverts.",
        to="mcast_group",
        default="that of global_defs",
    ),
    Block(
        "allowed_peers",
        doc="The only routers whose multicast adverts are heard, by their addresses. Others are "
        "counted and named in the log. One a line. keepalived does not know this keyword.",
        to="allowed_peers",
        entry=IpAddress(),
    ),
    Block(
        "unicast_peer",
        doc="The other routers; adverts go to them instead of the multicast group. One a line.",
        to="peers",
        entry=PeerLine(),
    ),
    Keyword(
        "unicast_ttl",
        Integer(0, 255),
        "TTL or hop limit of unicast adverts.",
        to="unicast_ttl",
    ),
    Keyword(
        "check_unicast_src",
        Flag(),
        "Drop unicast adverts that come from no peer: so it is anyway, unless unicast_any_src says "
        "otherwise.",
        to="check_unicast_src",
        default="vrrp_check_unicast_src in global_defs; on if a peer has min_ttl or max_ttl",
        without=_check_src_without,
    ),
    Keyword(
        "unicast_any_src",
        Flag(),
        "Take unicast adverts from hosts that are no peers, too. Whoever can send to this host can "
        "then take the addresses away. keepalived does not know this keyword.",
        to="unicast_any_src",
    ),
    Keyword(
        "unicast_fault_no_peer",
        Flag(),
        "With unicast keywords and no peer, enter FAULT instead of sending by multicast.",
        to="unicast_fault_no_peer",
    ),
    Keyword(
        "old_unicast_checksum",
        OldChecksumMode(),
        "Make the checksum of unicast VRRPv3 adverts as old versions of keepalived did; "
        "never: not even if a peer does.",
        to="old_checksum",
        default="as the peers do",
    ),
    Keyword(
        "v3_checksum_as_v2",
        Boolean(),
        "Make the checksum of VRRPv3 adverts over IPv4 without pseudo header.",
        to="v3_checksum_as_v2",
        inherits="v3_checksum_as_v2",
    ),
    Keyword(
        "vrf",
        InterfaceName(),
        "VRF of a unicast instance that has no interface.",
        to="vrf",
    ),
    Keyword(
        "use_vmac",
        VmacWords(),
        "Hold the addresses on an interface with the virtual router MAC address.",
        to="vmac",
        rfc="RFC 9568 §7.3",
    ),
    Keyword(
        "use_vmac_addr",
        Flag(),
        "Do the same for addresses of other interfaces and of the other family.",
        to="vmac_addresses",
    ),
    Keyword(
        "vmac_xmit_base",
        Flag(),
        "With use_vmac, send adverts through the interface below it.",
        to="vmac_xmit_base",
    ),
    Keyword(
        "use_ipvlan",
        IpvlanWords(),
        "Hold the addresses on an ipvlan interface.",
        to="ipvlan",
    ),
)

_NOTIFICATION: _Rows = (
    *notify_rows("INSTANCE, name, state and priority"),
    Keyword(
        "notify_deleted",
        OptionalCommand(),
        "Report an instance that a reload removes as DELETED instead of FAULT, and run this.",
        to=("notify.tells_deleted", "notify.deleted"),
        first_wins=True,
    ),
    Keyword(
        "notify_master_rx_lower_pri",
        CommandLine(),
        "Program that runs at each advert of lower priority that an active router receives.",
        to="notify.lower_priority",
        first_wins=True,
        support=IGNORED,
        why="Adverts of lower priority run no program yet.",
    ),
    Keyword(
        "notify_priority_changes",
        Boolean(),
        "Write changes of the priority to the notify FIFO.",
        to="notify_priority_changes",
        default="as global_defs says",
        support=IGNORED,
        why="Nothing is written to FIFOs yet.",
    ),
    Keyword(
        "smtp_alert",
        Boolean(),
        "Send mail at changes of the state.",
        to="smtp_alert",
        default="as global_defs says",
        support=IGNORED,
        why="No mail is sent yet.",
    ),
)

_REST: _Rows = (
    Keyword(
        "debug",
        Integer(0, 4),
        "A number that keepalived keeps.",
        to="debug",
        support=IGNORED,
        why="It does nothing in keepalived either.",
    ),
    Keyword(
        "kernel_rx_buf_size",
        Integer(0, 2**32 - 1),
        "Size of the buffer that adverts are received into, in bytes.",
        to="rx_buffer",
        support=IGNORED,
        why="The size of buffers is chosen by the program.",
    ),
    Keyword(
        "linkbeat_use_polling",
        Flag(),
        "Ask for the state of the link once a second instead of being told.",
        to="linkbeat_polling",
        instead="linkbeat_interfaces { … } outside of vrrp_instance",
    ),
    Keyword(
        "lvs_sync_daemon_interface",
        InterfaceName(),
        "Interface of the IPVS connection synchronisation.",
        to="lvs_sync_interface",
        support=IGNORED,
        why="It belongs to load balancing.",
        instead="lvs_sync_daemon in global_defs",
    ),
)

VRRP_INSTANCE = Block(
    "vrrp_instance",
    to="instances",
    many=True,
    fatal=True,
    model=InstanceConfig,
    header=Keyword("NAME", Name("name for a vrrp_instance", alone=True), "Its name.", to="name"),
    doc="One virtual router on one interface. Its name follows the keyword.",
    rows=(
        *_CORE,
        *_SENDING,
        _AUTHENTICATION,
        _AUTH_HMAC,
        *_ADDRESSES,
        *garp_rows("", of=""),
        *extra_garp_rows("", "vmac_garp_intvl", least=0, of=""),
        *TRACK_ROWS,
        *_NOTIFICATION,
        *_REST,
    ),
)
