"""Command words: how keepalived turns the rest of a line into an argument vector.

Two passes over the raw line, both honouring " and '. Pass 1 finds the command, the user and the
group and leaves backslashes alone; pass 2 splits the command and resolves escapes. No shell is
involved.
"""

import re
from collections.abc import Iterable

__all__ = ["join_command", "split_command", "split_line"]

_BLANKS = " \t\f\v\r\n"
_LETTERS = {
    "a": "\a",
    "b": "\b",
    "E": "\x1b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
}
_HEX = "0123456789abcdefABCDEF"
_OCTAL = "01234567"


def split_line(raw: str) -> list[tuple[str, int]]:
    """Pass 1: return the words of a line, quotes removed, each with its offset in `raw`.

    An unclosed quote runs to the end of the line.
    """
    words = []
    at = 0
    while at < len(raw):
        if raw[at] in _BLANKS:
            at += 1
            continue
        start = at
        text, at = _word(raw, at, resolve=False)
        words.append((text, start))
    return words


def split_command(command: str) -> tuple[str, ...]:
    """Pass 2: return the argument vector of a command, escapes resolved."""
    argv = []
    at = 0
    while at < len(command):
        if command[at] in _BLANKS:
            at += 1
            continue
        text, at = _word(command, at, resolve=True)
        argv.append(text)
    return tuple(argv)


def join_command(argv: Iterable[str]) -> str:
    """Return the one quoted word that the two passes make `argv` of."""
    return f'"{" ".join(map(_escaped, argv))}"'


_PLAIN = re.compile(r"[^\x00-\x1f\x7f\"'\\$\ud800-\udfff]*\Z")


def _escaped(word: str) -> str:
    """Return a word of a command as pass 2 reads it; in quotes if it holds blanks."""
    if not _PLAIN.match(word):
        word = "".join(c if _PLAIN.match(c) else _as_bytes(c) for c in word)
    return f"'{word}'" if " " in word or not word else word


def _as_bytes(character: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in character.encode("utf-8", "surrogateescape"))


def _word(text: str, at: int, *, resolve: bool) -> tuple[str, int]:
    """Return the word that starts at `at`, and the offset behind it."""
    out: list[str] = []
    quote = ""
    while at < len(text):
        character = text[at]
        if character == "\\" and at + 1 < len(text):
            piece, after = _escape(text, at + 1) if resolve else (text[at : at + 2], at + 2)
            out.append(piece)
            at = after
            continue
        if character == quote:
            quote = ""
        elif not quote and character in "\"'":
            quote = character
        elif not quote and character in _BLANKS:
            break
        else:
            out.append(character)
        at += 1
    return "".join(out), at


def _escape(text: str, at: int) -> tuple[str, int]:
    r"""Return what the escape means whose first character behind the backslash is at `at`."""
    letter = text[at]
    if letter == "x" and text[at + 1 : at + 2] and text[at + 1] in _HEX:
        digits = _run(text, at + 1, _HEX, 2)
        return _byte(int(digits, 16)), at + 1 + len(digits)
    if letter in _OCTAL:
        digits = _run(text, at, _OCTAL, 3)
        return _byte(int(digits, 8) & 0xFF), at + len(digits)
    if letter == "c" and at + 1 < len(text):
        return chr(ord(text[at + 1]) & 0x1F), at + 2
    return _LETTERS.get(letter, letter), at + 1


def _byte(value: int) -> str:
    """Return one byte as `os.fsencode` will write it."""
    return chr(value) if value < 0x80 else chr(0xDC00 + value)


def _run(text: str, at: int, alphabet: str, longest: int) -> str:
    """Return the longest run of `alphabet` at `at`, at most `longest` characters."""
    end = at
    while end < min(len(text), at + longest) and text[end] in alphabet:
        end += 1
    return text[at:end]
