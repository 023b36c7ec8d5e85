"""The whole daemon, by its command line; only configuration reader and engine are stand-ins.

A configuration file that contains `wrong` has an error; `FV111` or `FV211` has that warning;
`scripted` runs a script without enable_script_security. All else runs.
"""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import fastvrrp.config
from fastvrrp.daemon import cli

if TYPE_CHECKING:
    from fastvrrp.config.diagnostics import Diagnostic
    from fastvrrp.config.model import Config


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

    def withdrawals(self) -> tuple[bytes, ...]:
        """Nothing to remove."""
        return ()

    def stop(self) -> None:
        """Log the resignation."""
        self._log.info("(VI_1) sent 0 priority")


def examine(path: str | Path) -> tuple[Config | None, tuple[Diagnostic, ...]]:
    """Stand for `fastvrrp.config.examine`."""
    import lark  # noqa: F401, PLC0415 - what the real one loads

    from fastvrrp.config.diagnostics import Diagnostic, Severity, Span  # noqa: PLC0415
    from fastvrrp.config.model import (  # noqa: PLC0415
        Auth,
        AuthType,
        Command,
        Config,
        InstanceConfig,
        ScriptConfig,
    )
    from fastvrrp.secret import Secret  # noqa: PLC0415

    text = Path(path).read_text(encoding="utf-8")
    span = Span(str(path), 0, 0)
    if "wrong" in text:
        message = "priority 300 is outside 1-255"
        error = Diagnostic(severity=Severity.ERROR, code="FV104", message=message, span=span)
        return None, (error,)
    codes = [code for code in ("FV111", "FV211") if code in text]
    warnings = tuple(
        Diagnostic(severity=Severity.WARNING, code=code, message="a warning", span=span)
        for code in codes
    )
    auth = Auth(type=AuthType.PASS, password=Secret(b"hush"))
    script = ScriptConfig(name="check", command=Command(argv=("/bin/true",)))
    config = Config(
        instances=(InstanceConfig(name="VI_1", interface="lo", vrid=1, auth=auth),),
        scripts=(script,) if "scripted" in text else (),
        diagnostics=warnings,
    )
    return config, warnings


def install() -> None:
    """Put the stand-ins in place."""
    engine = ModuleType("fastvrrp.engine")
    engine.Engine = Engine  # type: ignore[attr-defined]  # a made-up module
    sys.modules["fastvrrp.engine"] = engine
    fastvrrp.config.examine = examine


if __name__ == "__main__":
    install()
    sys.exit(cli.main())
