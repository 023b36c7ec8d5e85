"""The whole daemon, by its command line; only configuration reader and engine are stand-ins.

A configuration file that contains `wrong` has an error; `FV211` has that warning, `FV213` that
note; `FV111` something that is not supported; `scripted` runs a script without
enable_script_security; `empty` has no instance; `FV101` an unknown keyword; `table` another
nftables table; `kernel` is refused by the engine. All else runs.
"""

from __future__ import annotations

import errno
import logging
import os
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import fastvrrp.config
from fastvrrp.daemon import cli
from fastvrrp.errors import KernelError

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastvrrp.config.diagnostics import Diagnostic, Span
    from fastvrrp.config.model import Config
    from fastvrrp.config.source import Report


class Engine:
    """Stands for the engine; logs what it would do."""

    generation = 0

    def __init__(self, config: Config, **_: object) -> None:
        self._log = logging.getLogger("fastvrrp.vrrp")
        self.config = config

    def start(self) -> None:
        """Log the state, whether the parser is loaded here, and the umask."""
        umask = os.umask(0)
        os.umask(umask)
        self._log.info("(VI_1) Entering BACKUP STATE (init)")
        self._log.info("parser loaded: %s, umask %03o", "lark" in sys.modules, umask)
        self._log.debug("detail")

    def apply(self, config: Config) -> None:
        """Run with `config`."""
        if config.instances[0].name == "VI_kernel":
            raise KernelError("open VRRP socket on", "eth0", errno.EMFILE)
        self.config = config
        self._log.info("applied")

    def undos(self) -> tuple[()]:
        """Nothing to remove."""
        return ()

    def farewells(self) -> tuple[()]:
        """Nothing to say."""
        return ()

    def stop(self) -> None:
        """Log the resignation."""
        self._log.info("(VI_1) sent 0 priority")


def examine(
    path: str | Path,
    inspect: Callable[[Config, Report], None] | None = None,
    *,
    config_id: str | None = None,
    all_config: bool = False,
) -> tuple[Config | None, tuple[Diagnostic, ...]]:
    """Stand for `fastvrrp.config.examine`; what it is told is a note."""
    import lark  # noqa: F401, PLC0415 - what the real one loads

    from fastvrrp.config.diagnostics import Span  # noqa: PLC0415
    from fastvrrp.config.source import Report  # noqa: PLC0415

    text = Path(path).read_text(encoding="utf-8")
    span, report = Span(str(path), 0, 0), Report()
    if "wrong" in text:
        report.error("FV104", "priority 300 is outside 1-255", span)
        return None, report.finish()
    if "FV101" in text:
        report.warning("FV101", "unknown keyword virtual_ipadress; it is skipped", span)
    if "FV111" in text:
        report.unsupported("FV111", "not yet", span)
    if "FV211" in text:
        report.warning("FV211", "a warning", span)
    if "FV213" in text:
        report.note("FV213", f"a note of {config_id} {all_config}", span)
    config = _config(span, text)
    if inspect is not None:
        inspect(config, report)
    found = report.finish()
    return replace(config, diagnostics=found), found


def _config(span: Span, text: str) -> Config:
    from fastvrrp.config.model import (  # noqa: PLC0415
        Auth,
        AuthType,
        Command,
        Config,
        FirewallConfig,
        GlobalConfig,
        InstanceConfig,
        ScriptConfig,
    )
    from fastvrrp.secret import Secret  # noqa: PLC0415

    auth = Auth(type=AuthType.PASS, password=Secret(b"hush"))
    script = ScriptConfig(name="check", command=Command(argv=("/bin/true",), span=span))
    name = "VI_kernel" if "kernel" in text else "VI_1"
    instance = InstanceConfig(name=name, interface="lo", vrid=1, auth=auth)
    return Config(
        global_defs=GlobalConfig(firewall=FirewallConfig(table="t" if "table" in text else None)),
        instances=() if "empty" in text else (instance,),
        scripts=(script,) if "scripted" in text else (),
    )


def install() -> None:
    """Put the stand-ins in place."""
    engine = ModuleType("fastvrrp.engine")
    engine.Engine = Engine  # type: ignore[attr-defined]  # a made-up module
    sys.modules["fastvrrp.engine"] = engine
    fastvrrp.config.examine = examine  # type: ignore[assignment]  # fewer options than the real one


if __name__ == "__main__":
    install()
    sys.exit(cli.main())
