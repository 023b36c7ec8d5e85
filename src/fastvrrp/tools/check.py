"""`fastvrrp check`: everything that can be said about a configuration before it runs."""

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Iterable

from fastvrrp import preflight
from fastvrrp.config import examine
from fastvrrp.config.diagnostics import Diagnostic, Related, Severity, Span
from fastvrrp.config.explain import codes, explanation, title

__all__ = ["add_parser", "run"]

FINE, FOUND, USAGE = 0, 1, 2

_DESCRIPTION = """\
Check keepalived.conf files and say everything that can be said: what keeps them from running, what
is not done as it is written, what is legal and probably not meant, and what this host lacks.
"""

_EPILOG = """\
severities:
  error        it does not run, under keepalived neither
  unsupported  keepalived runs it; fastvrrpd cannot yet, and does not start with it
  warning      it runs, but not as it is written; keepalived reports it as well
  note         it runs as it is written, which may not be what was meant

examples:
  fastvrrp check /etc/keepalived/keepalived.conf
  fastvrrp check --no-host --strict conf/*.conf     # in the repository that the files live in
  fastvrrp check --explain FV203

--json prints one object: "files" is a list of {"file", "runs", "diagnostics"}; each diagnostic has
"severity", "code", "title", "message", "file", "line", "column", "length" and, if there are any,
"hint", "context", "source" (the line, secrets masked) and "related" (a list of {"message", "file",
"line", "column", "length"}). Lines and columns count from 1; line 0 is the file as a whole.

exit status: 0 nothing but notes, 1 something else (with --strict: anything), 2 wrong command
"""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `check` to the subcommands of `fastvrrp`."""
    parser = commands.add_parser(
        "check",
        help="explain what is wrong with a configuration",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("files", metavar="FILE", nargs="*", help="a keepalived.conf")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--strict", action="store_true", help="fail for notes as well")
    parser.add_argument(
        "--no-host", action="store_true", help="do not look at interfaces, accounts, programs here"
    )
    parser.add_argument(
        "--color",
        choices=("auto", "always", "never"),
        default="auto",
        help="auto: on a terminal, unless NO_COLOR is set",
    )
    parser.add_argument(
        "-i", "--config-id", metavar="NAME", help="what `@id` lines are compared with"
    )
    parser.add_argument(
        "-e",
        "--all-config",
        action="store_true",
        help="whatever an include cannot read is an error",
    )
    parser.add_argument("--explain", metavar="CODE", help="print what a code such as FV203 means")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Check the files, or explain a code; returns the exit status."""
    if options.explain is not None:
        return _explain(options.explain)
    if not options.files:
        print("fastvrrp check: name a FILE, or --explain CODE", file=sys.stderr)
        return USAGE
    inspect = None if options.no_host else preflight.advise
    found = {}
    for file in options.files:
        _, found[file] = examine(
            file, inspect, config_id=options.config_id, all_config=options.all_config
        )
    if options.json:
        files = [_file_form(file, diagnostics) for file, diagnostics in found.items()]
        print(json.dumps({"files": files}, indent=2))
    else:
        _print(found, color=_is_colored(options.color))
    return _status(found.values(), strict=options.strict)


def _explain(code: str) -> int:
    known = codes()
    if code.upper() not in known:
        print(f"fastvrrp check: there is no code {code}; known are:", file=sys.stderr)
        for one in known:
            print(f"  {one}  {title(one)}", file=sys.stderr)
        return USAGE
    print(explanation(code.upper()).rstrip())
    return FINE


def _is_colored(choice: str) -> bool:
    if choice == "auto":
        return sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    return choice == "always"


def _print(found: dict[str, tuple[Diagnostic, ...]], *, color: bool) -> None:
    for file, diagnostics in found.items():
        for one in diagnostics:
            print(one.render(color=color))
        print(f"{file}: {_summary(diagnostics)}")


def _summary(diagnostics: tuple[Diagnostic, ...]) -> str:
    counts = Counter(one.severity for one in diagnostics)
    parts = [
        f"{counts[severity]} {severity.value}{'' if counts[severity] == 1 else 's'}"
        for severity in (Severity.ERROR, Severity.WARNING, Severity.NOTE)
        if counts[severity]
    ]
    if counts[Severity.UNSUPPORTED]:
        parts.append(f"{counts[Severity.UNSUPPORTED]} not supported yet")
    verdict = "runs" if _runs(diagnostics) else "does not run"
    return f"{verdict}; {', '.join(parts) or 'nothing to report'}"


def _runs(diagnostics: tuple[Diagnostic, ...]) -> bool:
    return not any(one.severity in (Severity.ERROR, Severity.UNSUPPORTED) for one in diagnostics)


def _status(found: Iterable[tuple[Diagnostic, ...]], *, strict: bool) -> int:
    severities = {one.severity for diagnostics in found for one in diagnostics}
    if not strict:
        severities.discard(Severity.NOTE)
    return FOUND if severities else FINE


def _file_form(file: str, diagnostics: tuple[Diagnostic, ...]) -> dict[str, object]:
    forms = [_form(one) for one in diagnostics]
    return {"file": file, "runs": _runs(diagnostics), "diagnostics": forms}


def _form(one: Diagnostic) -> dict[str, object]:
    form: dict[str, object] = {
        "severity": one.severity.value,
        "code": one.code,
        "title": title(one.code),
        "message": one.message,
        **_span_form(one.span),
    }
    optional = {"hint": one.hint, "context": one.context, "source": one.source}
    form |= {name: value for name, value in optional.items() if value is not None}
    places = [*one.span.via, *([one.related] if one.related else [])]
    if places:
        form["related"] = [_related_form(place) for place in places]
    return form


def _related_form(place: Related) -> dict[str, object]:
    return {"message": place.message, **_span_form(place.span)}


def _span_form(span: Span) -> dict[str, object]:
    return {
        "file": span.file,
        "line": span.line,
        "column": span.column,
        "length": span.length,
    }
