"""Gratuitous ARP keywords, which global_defs and instances have in common."""

from fastvrrp.clock import Nanoseconds
from fastvrrp.config.model import GlobalConfig, InstanceConfig
from fastvrrp.config.row import Keyword
from fastvrrp.config.values import Integer, WholeSeconds
from fastvrrp.config.values.instance import ExtraGarpTime

__all__ = ["extra_garp_rows", "garp_rows"]

_MAX_SECONDS = 4294
_GARP_SECONDS = WholeSeconds(0, _MAX_SECONDS)
_REFRESH_SECONDS = WholeSeconds(0, 2**32 - 1)
_MAX_REPEAT = 10000
_REPEAT = Integer(1, 2**32 - 1, lift=True, cap=_MAX_REPEAT)
_REPEAT_OR_NONE = Integer(0, 2**32 - 1, cap=_MAX_REPEAT)


_INHERITED = ("garp.delay", "garp.repeat", "garp.refresh", "garp.refresh_repeat")


def _lower_prio_delay(
    model: InstanceConfig | GlobalConfig, global_defs: GlobalConfig
) -> Nanoseconds:
    """What is not said for lower priorities is as when becoming active."""
    if model is not global_defs and global_defs.garp.lower_prio_delay != global_defs.garp.delay:
        return global_defs.garp.lower_prio_delay
    return model.garp.delay


def _lower_prio_repeat(model: InstanceConfig | GlobalConfig, global_defs: GlobalConfig) -> int:
    if model is not global_defs and global_defs.garp.lower_prio_repeat != global_defs.garp.repeat:
        return global_defs.garp.lower_prio_repeat
    return model.garp.repeat


def garp_rows(prefix: str, *, of: str) -> tuple[Keyword, ...]:
    """Return the gratuitous ARP keywords of global_defs or of an instance, which inherits."""
    inherits = {} if prefix else {name: name for name in _INHERITED}
    return (
        Keyword(
            f"{prefix}garp_master_delay",
            _GARP_SECONDS,
            f"After this time as active, gratuitous ARPs are sent once more; 0: never{of}.",
            to="garp.delay",
            inherits=inherits.get("garp.delay"),
        ),
        Keyword(
            f"{prefix}garp_master_repeat",
            _REPEAT,
            f"Gratuitous ARPs for each address when becoming active{of}.",
            to="garp.repeat",
            inherits=inherits.get("garp.repeat"),
        ),
        Keyword(
            f"{prefix}garp_master_refresh",
            _REFRESH_SECONDS,
            f"Interval of further gratuitous ARPs while active; 0: none{of}.",
            to="garp.refresh",
            inherits=inherits.get("garp.refresh"),
        ),
        Keyword(
            f"{prefix}garp_master_refresh_repeat",
            _REPEAT,
            f"Gratuitous ARPs for each address at each refresh{of}.",
            to="garp.refresh_repeat",
            inherits=inherits.get("garp.refresh_repeat"),
        ),
        Keyword(
            f"{prefix}garp_lower_prio_delay",
            _GARP_SECONDS,
            f"As garp_master_delay, after an advert of lower priority{of}.",
            to="garp.lower_prio_delay",
            default=f"{prefix}garp_master_delay",
            without=_lower_prio_delay,
        ),
        Keyword(
            f"{prefix}garp_lower_prio_repeat",
            _REPEAT_OR_NONE,
            f"As garp_master_repeat, after an advert of lower priority; 0: none{of}.",
            to="garp.lower_prio_repeat",
            default=f"{prefix}garp_master_repeat",
            without=_lower_prio_repeat,
        ),
    )


def extra_garp_rows(prefix: str, old_name: str, *, least: int, of: str) -> tuple[Keyword, ...]:
    """Return `garp_extra_if` and its old name; `least` is the smallest number of seconds."""
    name, kind = f"{prefix}garp_extra_if", ExtraGarpTime(min=least)
    doc = f"How often interfaces that send no adverts announce their addresses{of}."
    return (
        Keyword(name, kind, doc, to="extra_garp"),
        Keyword(old_name, kind, doc, to="extra_garp", instead=name, alias=True),
    )
