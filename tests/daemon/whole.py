"""The whole daemon, by its command line; only configuration reader and engine are stand-ins.

A configuration file that contains `wrong` has an error; `FV211` has that warning, `FV213` that
note; `FV111` something that is not supported; `scripted` runs a script without
enable_script_security. All else runs.
"""

from __future__ import annotations

import logging
import os
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import fastvrrp.config
from fastvrrp.daemon import cli

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastvrrp.config.diagnostics import Diagnostic, Span
    from fastvrrp.config.model import Config
    from fastvrrp.config.source import Report


class Engine:
    """Stands for the engine; logs what it would do."""

    def __init__(self, config: object, **_: object) -> None:
        self._log = logging.getLogger("fastvrrp.vrrp")

    def start(self) -> None:
        """Log the state, whether the parser is loaded here, and the umask."""
        umask = os.umask(0)
        os.umask(umask)
        self._log.info("(VI_1) Entering BACKUP STATE (init)")
        self._log.info("parser loaded: %s, umask %03o", "lark" in sys.modules, umask)
        self._log.debug("detail")

    generation = 0

    def undos(self) -> tuple[object, ...]:
        """Nothing to undo."""
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
    if "FV111" in text:
        report.unsupported("FV111", "not yet", span)
    if "FV211" in text:
        report.warning("FV211", "a warning", span)
    if "FV213" in text:
        report.note("FV213", f"a note of {config_id} {all_config}", span)
    config = _config(span, scripted="scripted" in text)
    if inspect is not None:
        inspect(config, report)
    found = report.finish()
    return replace(config, diagnostics=found), found


def _config(span: Span, *, scripted: bool) -> Config:
    from fastvrrp.config.model import (  # noqa: PLC0415
        Auth,
        AuthType,
        Command,
        Config,
        InstanceConfig,
        ScriptConfig,
    )
    from fastvrrp.secret import Secret  # noqa: PLC0415

    auth = Auth(type=AuthType.PASS, password=Secret(b"hush"))
    script = ScriptConfig(name="check", command=Command(argv=("/bin/true",), span=span))
    return Config(
        instances=(InstanceConfig(name="VI_1", interface="lo", vrid=1, auth=auth),),
        scripts=(script,) if scripted else (),
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
