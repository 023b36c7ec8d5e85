"""`vrrp_script`, and that each script and probe is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastvrrp.clock import seconds
from fastvrrp.config.assemble import fields_of
from fastvrrp.config.model import ScriptConfig

if TYPE_CHECKING:
    from fastvrrp.config.collect import Settings
    from fastvrrp.config.rules.around import Around

__all__ = ["check_used", "make_script"]


_USERS = ("instances", "groups")
"""What tracks scripts and probes."""


def make_script(settings: Settings, around: Around) -> ScriptConfig:
    """Return a script."""
    fields = fields_of(settings, around.make)
    if "timeout" in settings.rejected and "timeout" not in fields:
        fields["timeout"] = seconds(1)  # keepalived: not `interval`
    return ScriptConfig(**fields)  # type: ignore[arg-type]  # checked by the schema's rows


def _may_be_used(key: str, around: Around) -> bool:
    """Tell if a block that was not understood may name scripts or probes."""
    users = (block for user in _USERS for block in around.root.blocks.get(user, ()))
    return any(map(around.may_exist, _USERS)) or any(key in one.rejected for one in users)


def check_used(around: Around) -> None:
    """Report scripts and probes that nothing tracks."""
    for key, word in (("scripts", "script"), ("probes", "probe")):
        named = {
            getattr(setting.value, "name", "")
            for user in _USERS
            for block in around.root.blocks.get(user, ())
            for setting in block.lists.get(key, ())
        }
        defined = {settings.name: settings for settings in around.root.blocks.get(key, ())}
        if not named <= defined.keys() or _may_be_used(key, around):
            continue  # one is misspelt, which was reported, and may be the one that seems unused
        for name in defined.keys() - named:
            around.report.note(
                "FV213",
                f"{word} {name} is not used by any instance, so it never runs",
                defined[name].head,
                hint=f"name it in track_{word} {{ }} of a vrrp_instance, or remove it",
            )
