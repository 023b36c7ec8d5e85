"""The kinds of values that keywords take: how each is read, written and described.

`read` takes what it needs from `Args` and raises Rejected for what it cannot use; `write` is its
inverse. Rules that need more than the statement itself (version, family, other keywords) are in
`rules`.
"""

from fastvrrp.config.values.base import Args, Kind, Rejected, quoted
from fastvrrp.config.values.commands import CommandLine
from fastvrrp.config.values.network import (
    MAX_INTERFACE_NAME,
    InterfaceName,
    IpAddress,
    MulticastGroup,
    address,
    bare_address,
    interface_name,
    take_interface,
)
from fastvrrp.config.values.numbers import (
    SECONDS_SCHEMA,
    Integer,
    OptionalInteger,
    Seconds,
    Weight,
    WholeSeconds,
    bound,
    in_range,
    integer,
    seconds_text,
    stray_end,
)
from fastvrrp.config.values.words import (
    MAX_PASSWORD,
    Boolean,
    Choice,
    Flag,
    Host,
    Name,
    Password,
    Text,
    UserGroup,
)

__all__ = [
    "MAX_INTERFACE_NAME",
    "MAX_PASSWORD",
    "SECONDS_SCHEMA",
    "Args",
    "Boolean",
    "Choice",
    "CommandLine",
    "Flag",
    "Host",
    "Integer",
    "InterfaceName",
    "IpAddress",
    "Kind",
    "MulticastGroup",
    "Name",
    "OptionalInteger",
    "Password",
    "Rejected",
    "Seconds",
    "Text",
    "UserGroup",
    "Weight",
    "WholeSeconds",
    "address",
    "bare_address",
    "bound",
    "in_range",
    "integer",
    "interface_name",
    "quoted",
    "seconds_text",
    "stray_end",
    "take_interface",
]
