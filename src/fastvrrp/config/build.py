"""Statements to the model: walks the outermost level in source order, then applies the rules.

keepalived copies some defaults of `global_defs` into an instance when it meets the instance, and
takes others at the end of the file. So do we: what an instance finds before it is copied when it is
met, and `rules` make the instances when everything is known.
"""

from __future__ import annotations

from dataclasses import dataclass

from fastvrrp.config import rules
from fastvrrp.config.collect import Collector, Settings
from fastvrrp.config.diagnostics import Related
from fastvrrp.config.model import Config, GarpConfig, GlobalConfig, ScriptConfig
from fastvrrp.config.reader import Statement
from fastvrrp.config.row import Block
from fastvrrp.config.schema import ROOT
from fastvrrp.config.source import Report
from fastvrrp.config.values import Args, Name, Rejected

__all__ = ["build"]

_TAKEN_AT_THE_END = ("garp.lower_prio_delay", "garp.lower_prio_repeat")
"""Gratuitous ARP defaults that also apply to instances before them."""


def build(statements: tuple[Statement, ...], report: Report) -> Config:
    """Return the configuration. It is only usable if `report` has no error."""
    return _Builder(report).build(statements)


@dataclass(slots=True)
class _Named:
    """A block that has a name, its settings, and how it was written."""

    name: str
    statement: Statement
    settings: Settings


class _Builder:
    def __init__(self, report: Report) -> None:
        self._report = report
        self._collector = Collector(report)
        self._global = Settings("global_defs")
        self._scripts: dict[str, _Named] = {}
        self._instances: dict[str, _Named] = {}
        self._garp: dict[str, dict[str, object]] = {}

    def build(self, statements: tuple[Statement, ...]) -> Config:
        """Read all blocks, then make the model of them."""
        for statement, row in self._collector.rows(statements, ROOT, None):
            assert isinstance(row, Block), "every supported row of the outermost level is a block"
            if row.name == "global_defs":
                self._read_global(statement, row)
            else:
                known = self._scripts if row.name == "vrrp_script" else self._instances
                self._read_named(statement, row, known)
        scripts = self._make_scripts()
        instances = rules.make_instances(
            [
                rules.Written(named.name, named.statement, named.settings, self._garp[named.name])
                for named in self._instances.values()
            ],
            rules.Surroundings(
                self._global, scripts, frozenset(self._scripts), self._collector, self._report
            ),
        )
        self._tell_unused(instances_use={use.name for i in instances for use in i.scripts})
        return Config(
            global_defs=self._make_global(),
            scripts=tuple(scripts.values()),
            instances=instances,
        )

    def _read_global(self, statement: Statement, row: Block) -> None:
        before = dict(self._global.values)
        self._global.context = f"global_defs (line {statement.span.line})"
        self._collector.read_block(statement, row, self._global)
        if not self._instances:
            return
        first = next(iter(self._instances.values()))
        for to, setting in self._global.values.items():
            late = to.startswith("garp.") and to not in _TAKEN_AT_THE_END
            if late and before.get(to) is not setting:
                self._report.warning(
                    "FV214",
                    f"{setting.row.name} does not apply to the instances above it",
                    setting.statement.span,
                    hint="write global_defs before the first vrrp_instance",
                    context=self._global.context,
                    related=Related(f"{first.name} is", first.statement.span),
                )

    def _read_named(self, statement: Statement, row: Block, known: dict[str, _Named]) -> None:
        """Read a block with a name; no name, or one that is taken, is an error."""
        args = Args(statement, self._report, None)
        try:
            name = Name(f"name for this {row.name}").read(args)
        except Rejected as rejected:
            self._collector.reject(rejected, None)
            return
        context = f"{row.name} {name} (line {statement.span.line})"
        for word in args.rest()[:1]:
            args.warn("FV105", f"{row.name} takes one name; this word is not used", word.span)
        settings = Settings(context)
        if name in known:
            self._report.error(
                "FV202",
                f"there is a {row.name} {name} already",
                statement.words[1].span,
                hint="give every block a name of its own",
                related=Related("the other one is", known[name].statement.span),
            )
            return
        known[name] = _Named(name, statement, settings)
        if row.name == "vrrp_instance":
            self._garp[name] = rules.garp_values(self._global)
        self._collector.read_block(statement, row, settings)

    def _make_scripts(self) -> dict[str, ScriptConfig]:
        made = {}
        for named in self._scripts.values():
            script = rules.make_script(named.name, named.statement, named.settings, self._report)
            if script is not None:
                made[named.name] = script
        return made

    def _tell_unused(self, instances_use: set[str]) -> None:
        written = {
            getattr(setting.value, "name", "")
            for named in self._instances.values()
            for setting in named.settings.lists.get("scripts", ())
        }
        if not written <= self._scripts.keys():
            return  # one is misspelt, which was reported, and may well be the one that seems unused
        for named in self._scripts.values():
            if named.name not in instances_use | written:
                self._report.warning(
                    "FV213",
                    f"script {named.name} is not used by any instance, so it never runs",
                    named.statement.words[1].span,
                    hint="name it in track_script { } of a vrrp_instance, or remove it",
                )

    def _make_global(self) -> GlobalConfig:
        values = {to: setting.value for to, setting in self._global.values.items()}
        # What the ignores below pass over has been checked by the schema's rows.
        garp = GarpConfig(**rules.garp_fields({}, self._global))  # type: ignore[arg-type]
        plain = {to: value for to, value in values.items() if not to.startswith("garp.")}
        if "smtp_server" in plain:
            plain["smtp_server"], plain["smtp_port"] = plain["smtp_server"]  # type: ignore[misc]
        if "script_user" in plain:
            plain["script_user"], plain["script_group"] = plain["script_user"]  # type: ignore[misc]
        mail = tuple(setting.value for setting in self._global.lists.get("notification_email", ()))
        return GlobalConfig(garp=garp, notification_email=mail, **plain)  # type: ignore[arg-type]
