"""`vrrp_script`, and that each is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastvrrp.clock import seconds
from fastvrrp.config.assemble import fields_of
from fastvrrp.config.model import ScriptConfig

if TYPE_CHECKING:
    from fastvrrp.config.collect import Settings
    from fastvrrp.config.rules.around import Around

__all__ = ["check_scripts_used", "make_script"]


_USERS = ("instances", "groups")
"""What tracks scripts."""


def make_script(settings: Settings, around: Around) -> ScriptConfig:
    """Return a script."""
    fields = fields_of(settings, around.make)
    if "timeout" in settings.rejected and "timeout" not in fields:
        fields["timeout"] = seconds(1)  # keepalived: not `interval`
    return ScriptConfig(**fields)  # type: ignore[arg-type]  # checked by the schema's rows


def _may_be_used(around: Around) -> bool:
    """Tell if a block that was not understood may name scripts."""
    users = (block for key in _USERS for block in around.root.blocks.get(key, ()))
    return any(map(around.may_exist, _USERS)) or any("scripts" in one.rejected for one in users)


def check_scripts_used(around: Around) -> None:
    """Report scripts that nothing tracks."""
    named = {
        getattr(setting.value, "name", "")
        for key in _USERS
        for block in around.root.blocks.get(key, ())
        for setting in block.lists.get("scripts", ())
    }
    scripts = {settings.name: settings for settings in around.root.blocks.get("scripts", ())}
    if not named <= scripts.keys() or _may_be_used(around):
        return  # one is misspelt, which was reported, and may well be the one that seems unused
    for name in scripts.keys() - named:
        around.report.note(
            "FV213",
            f"script {name} is not used by any instance, so it never runs",
            scripts[name].head,
            hint="name it in track_script { } of a vrrp_instance, or remove it",
        )
