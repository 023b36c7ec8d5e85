"""Writes the bash completion: `python -m fastvrrp.completion > completions/fastvrrp.bash`.

Options come from the tables that the commands read them with, keywords and codes from the schema.
"""

from __future__ import annotations

import argparse

from fastvrrp.config.explain import codes
from fastvrrp.config.row import walk
from fastvrrp.config.schema import ROOT
from fastvrrp.daemon.options import FACILITIES, IGNORED, MOOT, OPTIONS, USED
from fastvrrp.tools.cli import make_parser

__all__ = ["render"]

_SIGNALS = ("STOP", "RELOAD", "DATA", "STATS", "JSON")

_HEAD = """\
# bash completion of fastvrrp and fastvrrpd. Written by `make docs`; do not edit.
# zsh: run `autoload -U bashcompinit && bashcompinit` before.
"""

_FUNCTION = """
_{name}() {{
    local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}}
    COMPREPLY=()
    case $before in
{values}
    esac
{body}
}}
complete -F _{name} {name}
"""


def render() -> str:
    """Return the completion of both commands."""
    return _HEAD + _daemon() + _tools()


def _daemon() -> str:
    works = [option for option in OPTIONS if option.status in (USED, MOOT, IGNORED)]
    words = [f"--{one.long}" for one in works] + [f"-{one.short}" for one in works if one.short]
    cases = {
        "-S|--log-facility": _among(sorted(FACILITIES)),
        "--signum": _among(_SIGNALS),
    }
    takes_file = [
        name
        for one in works
        if one.value == "=FILE"
        for name in (*([f"-{one.short}"] if one.short else []), f"--{one.long}")
    ]
    cases["|".join(takes_file)] = _FILES
    body = f'    [[ $word == -* ]] && COMPREPLY=($(compgen -W "{" ".join(words)}" -- "$word"))'
    return _function("fastvrrpd", cases, body)


def _tools() -> str:
    commands = _commands()
    cases = {
        "--explain": _among(codes()),
        "--color": _among(("auto", "always", "never")),
    }
    lines = ["    case ${COMP_WORDS[1]} in"]
    lines += [line for name, parser in commands.items() for line in _command(name, parser)]
    lines += ["    esac"]
    first = f"    ((COMP_CWORD == 1)) && {_among(('--help', '--version', *commands))} && return"
    return _function("fastvrrp", cases, "\n".join([first, *lines]))


def _commands() -> dict[str, argparse.ArgumentParser]:
    """Return the parsers of the subcommands."""
    for action in make_parser()._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    raise LookupError("fastvrrp has no commands")


def _command(name: str, parser: argparse.ArgumentParser) -> list[str]:
    options = [word for action in parser._actions for word in action.option_strings]
    keywords = sorted({row.name for _, row in walk(ROOT)})
    others = _among(keywords) if name == "keyword" else _FILES
    return [
        f"    {name})",
        f"        if [[ $word == -* ]]; then {_among(options)}",
        f"        else {others}; fi ;;",
    ]


_FILES = 'COMPREPLY=($(compgen -f -- "$word"))'


def _among(words: tuple[str, ...] | list[str]) -> str:
    return f'COMPREPLY=($(compgen -W "{" ".join(words)}" -- "$word"))'


def _function(name: str, cases: dict[str, str], body: str) -> str:
    values = "\n".join(f"    {pattern}) {action}; return ;;" for pattern, action in cases.items())
    return _FUNCTION.format(name=name, values=values, body=body)


if __name__ == "__main__":
    print(render(), end="")
