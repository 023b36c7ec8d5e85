"""Which commands may be run: ownership, modes, links, accounts."""

import os
import shutil
import stat
import struct
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fastvrrp.children import accounts
from fastvrrp.children.security import Checked, Severity, check
from fastvrrp.config.model import Command, GlobalConfig

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0, reason="SCRIPT SECURITY IS NOT TESTED: owners can only be set up by root"
)

OTHER = 65534


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a directory of root's with `bin/script`, and `link` to `bin`."""
    bin_ = tmp_path / "bin"
    bin_.mkdir(mode=0o755)
    script = bin_ / "script"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    (tmp_path / "link").symlink_to("bin")
    return tmp_path


@pytest.fixture
def public() -> Iterator[Path]:
    """Return a script that any user can reach, which those below tmp_path are not."""
    directory = Path(tempfile.mkdtemp())
    directory.chmod(0o755)
    script = directory / "script"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    yield script
    shutil.rmtree(directory)


@pytest.fixture
def them(monkeypatch: pytest.MonkeyPatch) -> accounts.Account:
    """Let every command run as user 1, group 1, with supplementary group 7."""
    who = accounts.Account(
        name="them", home="/", credentials=accounts.Credentials(uid=1, gid=1, groups=(7,))
    )
    monkeypatch.setattr("fastvrrp.children.security.resolve", lambda *_: who)
    return who


def checked(path: str | Path, *, enforce: bool = True, user: str = "root") -> Checked:
    command = Command(argv=(str(path), "argument"), user=user)
    return check(command, GlobalConfig(enable_script_security=enforce))


def text(result: Checked) -> str:
    return "\n".join(str(problem) for problem in result.problems)


def test_program_of_roots_is_accepted(tree: Path) -> None:
    result = checked(tree / "bin/script")
    assert result.problems == ()
    assert result.program is not None
    assert result.program.path == str(tree / "bin/script")
    assert result.program.argv == (str(tree / "bin/script"), "argument")


def test_symlinked_directory_of_roots_is_accepted_and_resolved(tree: Path) -> None:
    """keepalived refuses it, and with it /bin/true on systems with a merged /usr."""
    result = checked(tree / "link/script")
    assert result.problems == ()
    assert result.program is not None
    assert result.program.path == str(tree / "bin/script")


@pytest.mark.parametrize("program", ["/bin/sh", "/bin/true", "/usr/bin/env"])
def test_programs_of_the_system_are_accepted(program: str) -> None:
    result = checked(program)
    assert result.problems == ()
    assert result.program is not None
    assert result.program.path == os.path.realpath(program)


def test_relative_absolute_and_chained_links_are_followed(tree: Path) -> None:
    (tree / "absolute").symlink_to(tree / "link")
    (tree / "bin/up").symlink_to("../absolute/./script")
    result = checked(f"{tree}/link/../bin//up")
    assert result.problems == ()
    assert result.program is not None
    assert result.program.path == str(tree / "bin/script")


def test_loop_of_links_is_refused(tree: Path) -> None:
    (tree / "a").symlink_to("b")
    (tree / "b").symlink_to("a")
    result = checked(tree / "a")
    assert result.program is None
    assert "too many symbolic links" in text(result)


SPOIL: dict[str, tuple[Callable[[Path], object], str]] = {
    "script of another": (
        lambda t: os.chown(t / "bin/script", OTHER, 0),
        "chown root {}/bin/script",
    ),
    "script open to group": (lambda t: (t / "bin/script").chmod(0o775), "chmod go-w {}/bin/script"),
    "script open to all": (lambda t: (t / "bin/script").chmod(0o757), "chmod go-w {}/bin/script"),
    "directory of another": (lambda t: os.chown(t / "bin", OTHER, 0), "chown root {}/bin"),
    "directory open to all": (lambda t: (t / "bin").chmod(0o777), "chmod go-w {}/bin"),
    "parent open to all": (lambda t: t.chmod(0o777), "chmod go-w {}"),
    "link of another": (lambda t: os.lchown(t / "link", OTHER, 0), "chown root {}/link"),
}


@pytest.mark.parametrize("how", SPOIL)
def test_element_that_others_control_is_an_error_that_names_the_remedy(
    tree: Path, how: str
) -> None:
    spoil, remedy = SPOIL[how]
    spoil(tree)
    result = checked(tree / "link/script")
    assert result.program is None
    assert [problem.severity for problem in result.problems] == [Severity.ERROR]
    assert result.problems[0].hint == remedy.format(tree)


@pytest.mark.parametrize("how", SPOIL)
def test_without_script_security_it_is_a_warning(tree: Path, how: str) -> None:
    SPOIL[how][0](tree)
    result = checked(tree / "link/script", enforce=False)
    assert result.program is not None
    assert [problem.severity for problem in result.problems] == [Severity.WARNING]


def test_message_names_element_owner_and_mode(tree: Path) -> None:
    os.chown(tree / "bin", OTHER, 0)
    (tree / "bin").chmod(0o770)
    assert f"{tree}/bin (owner nobody, mode 0770) does not belong to root" in text(
        checked(tree / "bin/script")
    )


def test_sticky_directory_is_harmless(tree: Path) -> None:
    (tree / "bin").chmod(0o1777)
    assert checked(tree / "bin/script").problems == ()


def test_target_behind_a_link_is_checked_too(tree: Path) -> None:
    (tree / "etc").mkdir()
    (tree / "etc/alias").symlink_to(tree / "bin/script")
    (tree / "bin").chmod(0o777)
    assert f"{tree}/bin (owner root, mode 0777) is writable" in text(checked(tree / "etc/alias"))


def test_owner_and_mode_do_not_matter_for_an_ordinary_user(public: Path) -> None:
    """Who can replace the script gains nothing but that user."""
    public.chmod(0o777)
    os.chown(public, OTHER, OTHER)
    assert checked(public, user="nobody").problems == ()


def test_set_user_id_program_of_roots_is_checked_for_any_user(public: Path) -> None:
    public.chmod(stat.S_ISUID | 0o775)
    assert "is writable by others" in text(checked(public, user="nobody"))


def test_script_that_the_user_may_not_reach_is_refused(tree: Path) -> None:
    tree.chmod(0o700)
    result = checked(tree / "bin/script", user="nobody")
    assert result.program is None
    assert "may not be searched by user nobody" in text(result)


@pytest.mark.parametrize(
    ("mode", "owner", "group", "allowed"),
    [
        (0o755, 0, 0, True),
        (0o754, 0, 0, False),
        (0o754, 0, 7, True),  # a supplementary group
        (0o745, 0, 7, False),  # the group's bits win over those of others
        (0o700, 1, 0, True),
        (0o677, 1, 7, False),  # the owner's bits win over all
    ],
)
def test_mode_decides_whether_the_user_may_execute(
    public: Path, them: accounts.Account, mode: int, owner: int, group: int, *, allowed: bool
) -> None:
    public.chmod(mode)
    os.chown(public, owner, group)
    result = checked(public)
    assert (result.program is not None) is allowed
    assert ("may not be executed by user them" in text(result)) is not allowed


def test_access_control_list_gets_the_benefit_of_the_doubt(
    public: Path, them: accounts.Account
) -> None:
    public.chmod(0o750)
    entries = [(1, 7, -1), (2, 5, them.credentials.uid), (4, 5, -1), (16, 5, -1), (32, 0, -1)]
    acl = struct.pack("<I", 2) + b"".join(
        struct.pack("<HHi", tag, permissions, who) for tag, permissions, who in entries
    )
    try:
        os.setxattr(public, "system.posix_acl_access", acl)
    except OSError:
        pytest.skip("ACCESS CONTROL LISTS ARE NOT TESTED: /tmp has none")
    assert checked(public).program is not None


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda p: None, "No such file or directory"),
        (lambda p: p.mkdir(), "is not a file"),
        (lambda p: p.touch(0o644), "is not executable (chmod a+x"),
    ],
)
def test_what_is_no_program_is_refused(
    tree: Path, make: Callable[[Path], object], complaint: str
) -> None:
    make(tree / "thing")
    result = checked(tree / "thing", enforce=False)
    assert result.program is None
    assert complaint in text(result)


def test_path_through_a_file_is_refused(tree: Path) -> None:
    assert "Not a directory" in text(checked(tree / "bin/script/x"))


def test_bare_name_is_searched_and_the_full_path_recommended() -> None:
    result = checked("env")
    assert result.program is not None
    assert result.program.path == os.path.realpath("/usr/bin/env")
    assert [problem.severity for problem in result.problems] == [Severity.WARNING]
    assert "write /usr/bin/env instead" in text(result)


@pytest.mark.parametrize("word", ["no-such-program-here", "relative/path", "./x"])
def test_name_without_a_program_is_refused(word: str) -> None:
    result = checked(word)
    assert result.program is None
    assert "write the full path" in text(result)


@pytest.mark.parametrize("words", [("</etc/passwd",), ("<", "/etc/passwd")])
def test_builtin_test_for_a_readable_file_is_run_by_a_program(words: tuple[str, ...]) -> None:
    result = check(Command(argv=words, user="root"), GlobalConfig(enable_script_security=True))
    assert result.program is not None
    assert result.program.argv == ("/usr/bin/test", "-r", "/etc/passwd")


@pytest.mark.parametrize(
    ("user", "group", "complaint"),
    [("no-such-user", None, 'user "no-such-user"'), ("root", "no-such-group", 'group "no-such-')],
)
def test_unknown_account_is_refused_with_a_remedy(
    user: str, group: str | None, complaint: str
) -> None:
    result = check(Command(argv=("/bin/true",), user=user, group=group), GlobalConfig())
    assert result.program is None
    assert complaint in text(result)
    assert "does not exist" in text(result)
    assert "create it" in text(result)


class TestAccount:
    """Who a script runs as."""

    def account(
        self,
        command: Command,
        *,
        script_user: str | None = None,
        script_group: str | None = None,
    ) -> accounts.Account:
        defaults = GlobalConfig(script_user=script_user, script_group=script_group)
        result = check(command, defaults)
        assert result.program is not None
        return result.program.account

    def test_own_user_of_the_command_comes_first(self) -> None:
        account = self.account(Command(argv=("/bin/true",), user="nobody"), script_user="root")
        assert account.credentials.uid == OTHER

    def test_script_user_comes_next(self) -> None:
        account = self.account(
            Command(argv=("/bin/true",)), script_user="nobody", script_group="daemon"
        )
        assert (account.credentials.uid, account.credentials.gid) == (OTHER, 1)

    def test_account_keepalived_script_comes_next(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(accounts, "DEFAULT_USER", "nobody")
        assert self.account(Command(argv=("/bin/true",))).name == "nobody"

    def test_own_user_of_the_process_comes_last(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(accounts, "DEFAULT_USER", "no-such-user")
        account = self.account(Command(argv=("/bin/true",)))
        assert account.credentials.uid == os.geteuid()
        assert account.to_switch() is None

    def test_supplementary_groups_are_those_of_the_user(self) -> None:
        account = accounts.resolve("nobody", "daemon")
        assert account.credentials.groups == tuple(os.getgrouplist("nobody", 1))
        assert account.to_switch() == account.credentials

    def test_process_of_a_user_without_an_entry_has_an_account(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(accounts, "DEFAULT_USER", "no-such-user")
        monkeypatch.setattr(os, "geteuid", lambda: 4_000_000)
        account = accounts.resolve(None)
        assert (account.name, account.home) == ("4000000", "/")


@pytest.mark.parametrize("how", [*SPOIL, "replaced"])
def test_every_change_on_the_path_is_noticed_later(tree: Path, how: str) -> None:
    program = checked(tree / "link/script").program
    assert program is not None
    assert program.unchanged()
    if how == "replaced":
        (tree / "bin/script").unlink()
        (tree / "bin/script").write_text("")
    else:
        SPOIL[how][0](tree)
    assert not program.unchanged()
