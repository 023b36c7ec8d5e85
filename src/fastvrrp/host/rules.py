"""Routing rules as rtnetlink messages: all that a line of `virtual_rules` can say (ip-rule(8))."""

import socket
from dataclasses import replace
from ipaddress import ip_network

from pyroute2.netlink import NLM_F_CREATE, NLM_F_EXCL, NLM_F_REQUEST
from pyroute2.netlink.rtnl import RTM_DELRULE, RTM_NEWRULE
from pyroute2.netlink.rtnl.fibmsg import (
    FR_ACT_BLACKHOLE,
    FR_ACT_GOTO,
    FR_ACT_NOP,
    FR_ACT_PROHIBIT,
    FR_ACT_TO_TBL,
    FR_ACT_UNREACHABLE,
    fibmsg,
)
from pyroute2.netlink.rtnl.marshal import MarshalRtnl

from fastvrrp.config.model import Network, Rule, RuleAction
from fastvrrp.host.holding import Holding, HoldingError, Kind
from fastvrrp.host.iproute import Names, tos_as_ip
from fastvrrp.host.netlink import Message, encode

__all__ = ["rule_holding", "rule_key"]

_ACTIONS = {
    RuleAction.TABLE: FR_ACT_TO_TBL,
    RuleAction.L3MDEV: FR_ACT_TO_TBL,
    RuleAction.GOTO: FR_ACT_GOTO,
    RuleAction.NOP: FR_ACT_NOP,
    RuleAction.BLACKHOLE: FR_ACT_BLACKHOLE,
    RuleAction.UNREACHABLE: FR_ACT_UNREACHABLE,
    RuleAction.PROHIBIT: FR_ACT_PROHIBIT,
}
_INVERT = 2
_U32 = 2**32 - 1

_SELECTORS = (
    "FRA_IIFNAME",
    "FRA_OIFNAME",
    "FRA_GOTO",
    "FRA_FLOW",
    "FRA_TUN_ID",
    "FRA_L3MDEV",
    "FRA_UID_RANGE",
    "FRA_IP_PROTO",
    "FRA_SPORT_RANGE",
    "FRA_DPORT_RANGE",
)
"""Attributes that tell rules from each other; 0 is as good as none."""

_SUPPRESSORS = ("FRA_SUPPRESS_PREFIXLEN", "FRA_SUPPRESS_IFGROUP")
"""The same, and the kernel says 2**32-1 for none."""


def rule_holding(rule: Rule, names: Names) -> Holding:
    """Return `rule`, which has a priority; raises HoldingError where a name is unknown.

    Its interfaces need not be there: the kernel knows them by their names. Setting it again changes
    nothing (EEXIST); the removal takes no rule of another origin.
    """
    flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL  # else there would be two of it
    try:
        install = encode(_message(rule, names), kind=RTM_NEWRULE, flags=flags, sequence=0)
    except HoldingError as error:
        raise HoldingError(f"rule of priority {rule.priority}: {error}") from None
    remove = encode(_message(rule, names), kind=RTM_DELRULE, flags=NLM_F_REQUEST, sequence=0)
    (sent,) = MarshalRtnl().parse(install)
    return Holding(
        kind=Kind.RULE,
        key=rule_key(sent),
        install=install,
        remove=remove,
        text=_text(rule),
        track=rule.track,
        span=rule.span,
    )


def rule_key(message: Message) -> tuple[object, ...]:
    """Return the key of the rule that an RTM_NEWRULE or RTM_DELRULE is about."""
    everything = "::" if message["family"] == socket.AF_INET6 else "0.0.0.0"
    ends = [
        ip_network((message.get_attr(name) or everything, message[length]))
        for name, length in (("FRA_SRC", "src_len"), ("FRA_DST", "dst_len"))
    ]
    mark = message.get_attr("FRA_FWMARK") or 0
    mask = message.get_attr("FRA_FWMASK")
    return (
        "rule",
        message.get_attr("FRA_PRIORITY") or 0,
        message["action"],
        message.get_attr("FRA_TABLE") or message["table"],
        *ends,
        message["tos"],
        message["flags"] & _INVERT,
        mark,
        # The kernel compares all bits of a mark, but looks at none where the mark is 0.
        (_U32 if mark else 0) if mask is None else mask,
        *(message.get_attr(name) or None for name in _SELECTORS),
        *(_U32 if (one := message.get_attr(name)) is None else one for name in _SUPPRESSORS),
    )


def _message(rule: Rule, names: Names) -> Message:
    table = 0 if rule.table is None else names.table(rule.table)
    message = fibmsg()
    message["family"] = socket.AF_INET if rule.version == 4 else socket.AF_INET6
    message["src_len"] = rule.source.prefixlen if rule.source else 0
    message["dst_len"] = rule.destination.prefixlen if rule.destination else 0
    message["tos"] = names.tos(rule.tos)
    message["table"] = table if table <= 255 else 0
    message["action"] = _ACTIONS[rule.action]
    message["flags"] = _INVERT if rule.invert else 0
    is_l3mdev = rule.action is RuleAction.L3MDEV
    group = rule.suppress_ifgroup
    said = {
        "FRA_PRIORITY": rule.priority,
        "FRA_PROTOCOL": rule.protocol,
        "FRA_SRC": _address(rule.source),
        "FRA_DST": _address(rule.destination),
        "FRA_IIFNAME": rule.iif,
        "FRA_OIFNAME": rule.oif,
        "FRA_FWMARK": rule.fwmark,
        "FRA_FWMASK": rule.fwmask,
        "FRA_TUN_ID": rule.tunnel_id,
        "FRA_UID_RANGE": _range(rule.uids),
        "FRA_IP_PROTO": None if rule.ip_protocol is None else names.ip_protocol(rule.ip_protocol),
        "FRA_SPORT_RANGE": _range(rule.source_ports),
        "FRA_DPORT_RANGE": _range(rule.destination_ports),
        "FRA_TABLE": table or None,
        "FRA_GOTO": rule.goto,
        "FRA_L3MDEV": 1 if is_l3mdev else None,
        "FRA_FLOW": _realms(rule, names),
        "FRA_SUPPRESS_PREFIXLEN": rule.suppress_prefixlength,
        "FRA_SUPPRESS_IFGROUP": None if group is None else names.group(group),
    }
    message["attrs"] = [(name, one) for name, one in said.items() if one is not None]
    return message


def _address(network: Network | None) -> str | None:
    return None if network is None or not network.prefixlen else str(network.network_address)


def _range(ends: tuple[int, int] | None) -> str | None:
    return None if ends is None else f"{ends[0]}:{ends[1]}"


def _realms(rule: Rule, names: Names) -> int | None:
    if rule.realms is None:
        return None
    return names.realm(rule.realms.source) << 16 | names.realm(rule.realms.destination)


def _text(rule: Rule) -> str:
    # Only who has rules has the memory for their words.
    from fastvrrp.config.values.rules import RuleLine  # noqa: PLC0415

    plain = replace(rule, track=True, track_group=None, tos=tos_as_ip(rule.tos))
    return RuleLine().write(plain) or f"of priority {rule.priority}"
