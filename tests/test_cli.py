"""The command line: options, exit codes, what goes to which stream."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pitfall_lint import __version__
from pitfall_lint.cli import run

LOST = """\
import asyncio


async def work():
    raise ValueError


async def main():
    asyncio.create_task(work())
"""
BYPASS = """\
import os

os.environ["no_proxy"] = "localhost"
"""
CLEAN = "x = 1\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PITFALL_LINT_CACHE_DIR", str(tmp_path / ".cache"))
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "lost.py").write_text(LOST)
    (tmp_path / "pkg" / "bypass.py").write_text(BYPASS)
    (tmp_path / "pkg" / "clean.py").write_text(CLEAN)
    return tmp_path


@pytest.fixture
def lint(folder, capsys, monkeypatch):
    """Run the command line; return exit code, standard output and standard error."""

    def call(*arguments: str, stdin: bytes | None = None) -> tuple[int, str, str]:
        if stdin is not None:
            monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        capsys.readouterr()
        code = run(arguments)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def codes(out: str) -> list[str]:
    return [entry["code"] for entry in json.loads(out)]


def test_the_exit_codes(lint):
    assert lint("pkg/clean.py") == (0, "All checks passed!\n", "")
    code, out, err = lint("pkg/lost.py")
    assert (code, err) == (1, "")
    assert out.startswith("PIT301 ")
    code, out, err = lint("pkg/missing.py")
    assert (code, out) == (2, "")
    assert err == "error: pkg/missing.py: no such file or directory\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ("pkg",),
        ("check", "pkg"),
        ("pkg", "--output-format", "full"),
        ("--output-format=full", "pkg"),
        ("check",),
        (),
        (".",),
    ],
)
def test_check_is_the_default_command(lint, arguments):
    code, out, _ = lint(*arguments)
    assert code == 1
    assert "PIT301 " in out
    assert "PIT503 " in out


def test_a_mistyped_command_or_option(lint):
    code, _, err = lint("chekc")
    assert code == 2
    assert "did you mean the command 'check'?" in err
    code, _, err = lint("--selct", "PIT3", "pkg")
    assert code == 2
    assert "--select" in err
    code, _, err = lint("--output-format", "ful")
    assert code == 2
    assert "'full'" in err


def test_version_and_help(lint):
    assert lint("--version") == (0, f"pitfall-lint {__version__}\n", "")
    for arguments in (("--help",), ("-h",), ("check", "--help"), ("explain", "-h"), ("rules", "-h")):
        code, out, _ = lint(*arguments)
        assert code == 0
        assert out.startswith("Usage: pitfall-lint")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--select", "PIT5"], ["PIT503"]),
        (["--select", "PIT301,PIT5"], ["PIT503", "PIT301"]),
        (["--select", "PIT301", "--select", "PIT503"], ["PIT503", "PIT301"]),
        (["--select", "lost-task-exception"], ["PIT301"]),
        (["--select", "tasks"], ["PIT301"]),
        (["--select", "ALL", "--ignore", "PIT503"], ["PIT301"]),
        (["--ignore", "proxies"], ["PIT301"]),
        (["--select", "PIT3", "--ignore", "PIT301", "--extend-select", "PIT5"], ["PIT503"]),
        (["--select", "PIT3,PIT5", "--extend-ignore", "PIT5"], ["PIT301"]),
        (["--select", "PIT301,PIT503", "--per-file-ignores", "lost.py:PIT3"], ["PIT503"]),
        (["--select", "PIT301,PIT503", "--per-file-ignores", "pkg/*:PIT301,pkg/b*:ALL"], []),
        (["--select", "PIT301,PIT503", "--exclude", "lost.py"], ["PIT503"]),
        (["--select", "PIT301,PIT503", "--extend-exclude", "pkg/b*"], ["PIT301"]),
        (["--config", 'select = ["PIT503"]'], ["PIT503"]),
    ],
)
def test_choosing(lint, arguments, expected):
    code, out, err = lint("pkg", "--output-format", "json", *arguments)
    assert codes(out) == expected
    assert (code, err) == (1 if expected else 0, "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--select", "PIT9"], "unknown rule selector 'PIT9'"),
        (["--ignore", "lost-task-exceptio"], "did you mean 'lost-task-exception'?"),
        (["--per-file-ignores", "tests"], "must be PATTERN:RULE"),
        (["--config", "nope.toml"], "nope.toml: No such file or directory"),
        (["--config", "selct = []"], "unknown key 'selct', did you mean 'select'?"),
        (["--config", "select = ["], "--config 'select = ['"),
        (["--isolated", "--config", "pitfall-lint.toml"], "--isolated uses no settings file"),
        (["-"], "name no other paths beside it"),
        (["--output-file", "missing/folder/x"], "missing/folder/x: No such file or directory"),
    ],
)
def test_what_cannot_be_done(lint, arguments, message):
    code, _, err = lint("pkg/lost.py", *arguments)
    assert code == 2
    assert message in err
    assert "Traceback" not in err


def test_fix_takes_safe_fixes_only(lint, folder):
    code, out, _ = lint("--fix", "pkg", "--select", "PIT301,PIT503")
    assert code == 1
    assert "Found 2 findings (1 fixed, 1 remaining).\n" in out
    assert (folder / "pkg" / "lost.py").read_text() == LOST
    assert (folder / "pkg" / "bypass.py").read_text() != BYPASS
    assert lint("--fix", "pkg", "--select", "PIT503")[0] == 0


def test_unsafe_fixes(lint, folder):
    code, out, _ = lint("--fix", "--unsafe-fixes", "pkg/lost.py", "--show-fixes")
    assert code == 0
    assert "Fixed 1 finding:\n- pkg/lost.py:\n    1 × PIT301 (lost-task-exception)\n" in out
    mended = (folder / "pkg" / "lost.py").read_text()
    assert mended != LOST
    assert lint("--fix", "--unsafe-fixes", "pkg/lost.py") == (0, "All checks passed!\n", "")
    assert (folder / "pkg" / "lost.py").read_text() == mended


def test_fix_only(lint):
    assert lint("--fix-only", "--select", "PIT301,PIT503", "pkg") == (0, "Fixed 1 finding.\n", "")


def test_exit_codes_of_fixing(lint):
    assert lint("pkg/bypass.py", "--fix", "--exit-non-zero-on-fix")[0] == 1
    assert lint("pkg/bypass.py", "--fix", "--exit-non-zero-on-fix")[0] == 0
    assert lint("pkg/lost.py", "--exit-zero")[0] == 0
    assert lint("pkg/lost.py", "pkg/missing.py", "--exit-zero")[0] == 2


def test_unfixable(lint, folder):
    lint("--fix", "pkg", "--unfixable", "PIT503")
    assert (folder / "pkg" / "bypass.py").read_text() == BYPASS
    lint("--fix", "pkg", "--fixable", "PIT301")
    assert (folder / "pkg" / "bypass.py").read_text() == BYPASS
    lint("--fix", "pkg", "--config", 'extend-unsafe-fixes = ["PIT503"]')
    assert (folder / "pkg" / "bypass.py").read_text() == BYPASS
    lint("--fix", "pkg/lost.py", "--config", 'extend-safe-fixes = ["PIT301"]')
    assert (folder / "pkg" / "lost.py").read_text() != LOST


def test_diff_changes_nothing_and_lists_what_stays(lint, folder):
    code, out, err = lint("--diff", "pkg", "--select", "PIT301,PIT503")
    assert code == 1
    assert out.startswith("--- pkg/bypass.py\n+++ pkg/bypass.py\n@@ ")
    assert "PIT301" not in out
    assert "Would stay:\n  pkg/lost.py:9:5: PIT301 " in err
    assert "Would fix 1 finding; 1 would stay (1 of them with `--unsafe-fixes`).\n" in err
    assert (folder / "pkg" / "bypass.py").read_text() == BYPASS
    assert lint("--diff", "pkg/clean.py")[:2] == (0, "")


def test_the_diff_can_be_applied(lint, folder):
    _, out, _ = lint("--diff", "--unsafe-fixes", "pkg")
    done = subprocess.run(["git", "apply", "-p0", "-"], input=out.encode(), cwd=folder, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert lint("pkg")[0] == 0


def test_statistics(lint):
    code, out, _ = lint("--statistics", "pkg", "--select", "PIT301,PIT503")
    assert code == 1
    assert out.splitlines()[:2] == [
        "1  PIT301  [ ] lost-task-exception",
        "1  PIT503  [*] no-proxy-overwritten",
    ]
    _, out, _ = lint("--statistics", "pkg", "--output-format", "json")
    assert {entry["code"] for entry in json.loads(out)} == {"PIT301", "PIT503"}


def test_output_file(lint, folder):
    code, out, err = lint("pkg", "--output-format", "json", "--output-file", "report.json")
    assert (code, out, err) == (1, "", "")
    assert codes((folder / "report.json").read_text())


def test_quiet_and_silent(lint):
    _, out, _ = lint("pkg/lost.py", "-q", "--output-format", "concise")
    assert out.count("\n") == 1
    _, out, _ = lint("pkg/lost.py", "-q")
    assert "Found" not in out
    assert lint("pkg/lost.py", "pkg/missing.py", "-s") == (2, "", "")
    assert lint("pkg/clean.py", "-q") == (0, "", "")


def test_noqa(lint, folder):
    (folder / "pkg" / "lost.py").write_text(LOST.replace("(work())", "(work())  # noqa: PIT301"))
    assert lint("pkg/lost.py")[0] == 0
    assert lint("pkg/lost.py", "--ignore-noqa")[0] == 1


def test_standard_input(lint, folder):
    code, out, _ = lint("-", "--output-format", "concise", stdin=LOST.encode())
    assert code == 1
    assert out.startswith("-:9:5: PIT301 ")
    _, out, _ = lint("-", "--stdin-filename", "pkg/new.py", "--output-format", "concise", stdin=LOST.encode())
    assert out.startswith("pkg/new.py:9:5: PIT301 ")
    assert lint("-", stdin=b"")[0] == 0
    (folder / "pkg" / "pitfall-lint.toml").write_text('ignore = ["PIT301"]\n')
    assert lint("-", "--stdin-filename", "pkg/new.py", stdin=LOST.encode())[0] == 0


def test_standard_input_is_mended_to_standard_output(folder):
    command = [sys.executable, "-m", "pitfall_lint", "-", "--fix", "--stdin-filename", "pkg/bypass.py"]
    done = subprocess.run(command, input=BYPASS.encode(), capture_output=True, cwd=folder)
    assert done.returncode == 0
    assert b"no_proxy" in done.stdout
    assert done.stdout != BYPASS.encode()
    assert b"1 fixed" in done.stderr
    assert (folder / "pkg" / "bypass.py").read_text() == BYPASS
    clean = subprocess.run(command, input=b"x = 1\r\n", capture_output=True, cwd=folder)
    assert clean.stdout == b"x = 1\r\n"


def test_the_closest_settings_hold_for_each_file(lint, folder):
    (folder / "pyproject.toml").write_text('[tool.pitfall-lint]\nselect = ["PIT503"]\n')
    (folder / "other").mkdir()
    (folder / "other" / "pitfall-lint.toml").write_text('select = ["PIT301"]\n')
    (folder / "other" / "lost.py").write_text(LOST)
    (folder / "other" / "bypass.py").write_text(BYPASS)
    _, out, _ = lint(".", "--output-format", "concise", "-q")
    assert [line.split(" ")[:2] for line in out.splitlines()] == [
        ["other/lost.py:9:5:", "PIT301"],
        ["pkg/bypass.py:3:1:", "PIT503"],
    ]
    _, out, _ = lint(".", "--isolated", "--output-format", "concise", "-q")
    assert len(out.splitlines()) == 4


def test_broken_settings_end_the_run_in_one_line(lint, folder):
    (folder / "pyproject.toml").write_text("[tool.pitfall-lint]\nselct = []\n")
    code, out, err = lint("pkg")
    assert (code, out) == (2, "")
    assert err == f"error: {folder / 'pyproject.toml'}: unknown key 'selct', did you mean 'select'?\n"
    (folder / "pyproject.toml").write_text('[tool.pitfall-lint]\nselect = ["PIT9"]\n')
    assert "pyproject.toml: select: unknown rule selector 'PIT9'" in lint("pkg")[2]
    (folder / "pyproject.toml").write_text("[tool.pitfall-lint\n")
    assert lint("pkg")[2].startswith(f"error: {folder / 'pyproject.toml'}: ")


def test_users_library_rows(lint, folder):
    (folder / "pitfall-lint.toml").write_text('libraries = ["lint/own.toml"]\n')
    (folder / "pkg" / "uses.py").write_text("import own\n\n\nasync def f(work):\n    own.start(work())\n")
    (folder / "lint").mkdir()
    (folder / "lint" / "own.toml").write_text('[[spawn]]\ncall = "own.start"\ncoroutine = "0"\n')
    code, out, _ = lint("pkg/uses.py", "--output-format", "json")
    assert (code, codes(out)) == (1, ["PIT301"])
    (folder / "lint" / "own.toml").write_text('[[spwan]]\ncall = "own.start"\n')
    code, _, err = lint("pkg/uses.py")
    assert code == 2
    assert "own.toml: unknown kind [[spwan]], did you mean 'spawn'?" in err
    (folder / "lint" / "own.toml").unlink()
    assert lint("pkg/uses.py")[0] == 2


def test_show_settings(lint, folder):
    (folder / "pyproject.toml").write_text('[tool.pitfall-lint]\nselect = ["PIT503"]\n')
    code, out, _ = lint("--show-settings", "pkg", "--ignore", "PIT1")
    assert code == 0
    assert f"# from {folder / 'pyproject.toml'}\n" in out
    assert 'select = ["PIT503"]\n' in out
    assert 'ignore = ["PIT1"]\n' in out


def test_show_files(lint):
    assert lint("--show-files", "pkg", "--exclude", "clean.py")[1].splitlines() == [
        "pkg/bypass.py",
        "pkg/lost.py",
    ]


@pytest.mark.parametrize("what", ["PIT301", "pit301", "lost-task-exception"])
def test_explain_a_rule(lint, what):
    code, out, _ = lint("explain", what)
    assert code == 0
    assert out.startswith("# lost-task-exception (PIT301)\n")
    assert "```toml" not in out
    assert "- `Task exception was never retrieved`\n" in out
    assert json.loads(lint("explain", what, "--json")[1])["code"] == "PIT301"


def test_explain_what_was_seen(lint):
    code, out, _ = lint("explain", "ERROR:asyncio:Task exception was never retrieved")
    assert code == 0
    assert "PIT301" in out
    assert any(
        entry["code"] == "PIT301" for entry in json.loads(lint("explain", "--json", "exception was never retrieved")[1])
    )


def test_explain_what_nobody_knows(lint):
    code, _, err = lint("explain", "the printer is on fire")
    assert code == 2
    assert "no rule knows" in err
    assert "did you mean 'PIT301'" in lint("explain", "PIT3001")[2]


def test_rules(lint):
    code, out, _ = lint("rules")
    assert code == 0
    assert "  PIT301 lost-task-exception" in out
    entries = json.loads(lint("rules", "--output-format", "json")[1])
    assert {
        "code",
        "name",
        "family",
        "summary",
        "set",
        "severity",
        "fix",
        "symptoms",
        "url",
        "explanation",
    } <= set(entries[0])
    only = json.loads(lint("rules", "PIT3", "--output-format", "json")[1])
    assert {entry["family"] for entry in only} == {"tasks"}
    assert lint("rules", "PIT9")[0] == 2


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(lint, shell):
    code, out, _ = lint("completion", shell)
    assert code == 0
    assert "_PITFALL_LINT_COMPLETE" in out


@pytest.mark.parametrize(
    ("words", "expected"),
    [("--fix-o", "--fix-only"), ("exp", "explain"), ("check --select lost-t", "lost-task-exception")],
)
def test_completion(folder, words, expected):
    env = os.environ | {
        "COMP_WORDS": f"pitfall-lint {words}",
        "COMP_CWORD": str(len(words.split())),
        "_PITFALL_LINT_COMPLETE": "bash_complete",
    }
    done = subprocess.run([sys.executable, "-m", "pitfall_lint"], env=env, capture_output=True, text=True)
    assert f"plain,{expected}" in done.stdout, done.stderr


@pytest.mark.parametrize(
    ("env", "arguments", "colored"),
    [
        ({}, [], False),
        ({"FORCE_COLOR": "1"}, [], True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, [], False),
        ({"CLICOLOR_FORCE": "1"}, [], True),
        ({}, ["--color", "always"], True),
        ({"NO_COLOR": "1"}, ["--color", "always"], True),
        ({"FORCE_COLOR": "1"}, ["--color", "never"], False),
    ],
)
def test_colors(lint, monkeypatch, env, arguments, colored):
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    assert ("\x1b[" in lint("pkg/lost.py", *arguments)[1]) is colored


def test_verbose_shows_the_traceback_of_an_internal_error(lint, monkeypatch):
    import pitfall_lint.checks.tasks.lost_task_exception as check

    def fails(file):
        raise RuntimeError("deep\ninside")
        yield

    monkeypatch.setattr(check, "check", fails)
    code, out, err = lint("pkg", "--output-format", "concise", "--select", "PIT301,PIT503", "--no-cache")
    assert code == 2
    assert "pkg/bypass.py:3:1: PIT503 " in out
    assert "internal error" in err
    assert "PIT301" in err
    assert "Traceback" not in err
    assert len(err.splitlines()) == 1


def test_the_module_can_be_run(folder):
    done = subprocess.run([sys.executable, "-m", "pitfall_lint", "pkg/clean.py"], cwd=folder, capture_output=True)
    assert (done.returncode, done.stdout) == (0, b"All checks passed!\n")


def test_version_imports_next_to_nothing(folder):
    code = (
        "import sys; sys.argv[1:] = ['--version']; from pitfall_lint.__main__ import main; main();"
        "print([m for m in ('click', 'rich', 'libcst') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True)
    assert done.stdout.splitlines() == [f"pitfall-lint {__version__}", "[]"]


def test_order_does_not_depend_on_the_order_of_work(lint):
    first = lint("pkg", "--output-format", "concise")[1]
    assert first == lint("pkg", "--output-format", "concise")[1]
    assert [Path(line.split(":")[0]).name for line in first.splitlines()[:2]] == ["bypass.py", "lost.py"]
