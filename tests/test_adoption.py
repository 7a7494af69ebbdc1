"""Adopting the linter in an old code base, driven through the command line as a user would."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from pitfall_lint import catalog, libraries
from pitfall_lint.baseline import softened
from pitfall_lint.cli import run
from pitfall_lint.config import Resolver
from pitfall_lint.finding import Severity
from pitfall_lint.run import Linter, Task

LOST = """\
import asyncio


async def work():
    raise ValueError


async def first():
    asyncio.create_task(work())
"""
SECOND = """

async def second():
    asyncio.create_task(work())
"""
BYPASS = 'import os\n\nos.environ["no_proxy"] = "localhost"\n'
SETTINGS = "[tool.pitfall-lint]\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("NO_COLOR", "FORCE_COLOR", "CI", "VIRTUAL_ENV"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PITFALL_LINT_CACHE_DIR", str(tmp_path / ".cache"))
    monkeypatch.setenv("COLUMNS", "80")
    (tmp_path / "app.py").write_text(LOST)
    (tmp_path / "env.py").write_text(BYPASS)
    return tmp_path


@pytest.fixture
def lint(folder, capsys, monkeypatch):
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


def git(folder: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=t", "-c", "user.email=t@localhost", "-c", "init.defaultBranch=main")
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, timeout=60)


# ---- severity


@pytest.mark.parametrize("selector", ["PIT301", "lost-task-exception", "tasks", "PIT3", "ALL"])
def test_a_hint_never_fails_a_run(lint, folder, selector):
    (folder / "pyproject.toml").write_text(f'{SETTINGS}severity = {{ {selector} = "hint" }}\n')
    assert lint("app.py")[0] == 0
    assert codes(lint("app.py", "--output-format", "json")[1]) == ["PIT301"]


def test_the_more_exact_selector_decides(lint, folder):
    (folder / "pyproject.toml").write_text(
        '[tool.pitfall-lint.severity]\nPIT301 = "error"\ntasks = "hint"\nALL = "warning"\n'
    )
    assert lint("app.py", "--fail-on", "error")[0] == 1
    assert lint("env.py", "--fail-on", "error")[0] == 0
    assert lint("env.py", "--fail-on", "warning")[0] == 1
    assert lint("env.py")[0] == 1


def test_fail_on_is_a_setting(lint, folder):
    (folder / "pyproject.toml").write_text(f'{SETTINGS}fail-on = "error"\nseverity = {{ PIT301 = "warning" }}\n')
    assert lint("app.py")[0] == 0
    assert lint("app.py", "--fail-on", "warning")[0] == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('severity = { PIT301 = "fatal" }', "each one of error, warning, hint"),
        ('severity = { PIT9 = "hint" }', "unknown rule selector 'PIT9'"),
        ('fail-on = "hint"', "must be error or warning"),
    ],
)
def test_wrong_severities_are_errors(lint, folder, text, message):
    (folder / "pyproject.toml").write_text(SETTINGS + text + "\n")
    code, _, err = lint("app.py")
    assert code == 2
    assert message in err


# ---- baseline


@pytest.fixture
def baseline(lint, folder):
    (folder / "pyproject.toml").write_text(f'{SETTINGS}baseline = "pitfall-baseline.txt"\n')
    code, out, err = lint("--write-baseline")
    assert (code, out, err) == (0, "Wrote 2 known findings in 2 files to pitfall-baseline.txt.\n", "")
    return folder / "pitfall-baseline.txt"


def test_known_findings_are_hidden_and_counted(lint, baseline):
    assert lint() == (0, "All checks passed!\n2 known findings hidden by pitfall-baseline.txt.\n", "")
    assert lint("--no-baseline")[0] == 1
    assert codes(lint("--output-format", "json")[1]) == []


def test_write_takes_a_file_but_no_path_to_lint(lint, folder):
    assert lint("--write-baseline", "known.txt", "app.py")[0] == 0
    assert (folder / "known.txt").exists()
    assert lint("--baseline", "known.txt", "app.py")[0] == 0
    code, out, err = lint("--write-baseline", "app.py")
    assert (code, out) == (0, "Wrote 1 known finding in 1 file to pitfall-baseline.txt.\n")
    assert 'baseline = "pitfall-baseline.txt"' in err


def test_only_the_new_one_is_reported(lint, folder, baseline):
    (folder / "app.py").write_text("# moved down\n\n" + LOST + SECOND)
    code, out, _ = lint("--output-format", "json")
    assert code == 1
    assert [entry["location"]["row"] for entry in json.loads(out)] == [15]


def test_it_shrinks_where_something_is_mended(lint, folder, baseline):
    (folder / "app.py").write_text(LOST.replace("asyncio.create_task", "await "))
    code, _, err = lint()
    assert (code, err) == (0, "note: pitfall-baseline.txt: 1 known finding mended and taken out\n")
    assert "app.py" not in baseline.read_text()
    assert lint()[2] == ""


def test_it_does_not_shrink_in_ci_and_the_check_fails(lint, folder, baseline, monkeypatch):
    monkeypatch.setenv("CI", "true")
    before = baseline.read_text()
    assert lint("--baseline-check")[0] == 0
    (folder / "app.py").write_text("x = 1\n")
    assert lint()[0] == 0
    code, _, err = lint("--baseline-check")
    assert code == 1
    assert "1 known finding gone" in err
    assert "PIT301 app.py::first" in err
    assert baseline.read_text() == before


def test_partial_runs_leave_the_rest_alone(lint, folder, baseline):
    before = baseline.read_text()
    (folder / "app.py").write_text("x = 1\n")
    assert lint("env.py")[0] == 0
    assert lint("--select", "PIT5", "app.py")[0] == 0
    assert baseline.read_text() == before
    (folder / "app.py").write_text("def broken(:\n")
    assert lint("app.py")[0] == 1
    assert baseline.read_text() == before


def test_a_part_is_written_anew_and_the_rest_stays(lint, folder, baseline):
    (folder / "app.py").write_text(LOST + SECOND)
    assert lint("--write-baseline", "app.py")[1] == "Wrote 3 known findings in 2 files to pitfall-baseline.txt.\n"
    assert lint()[0] == 0


def test_fix_and_diff_leave_known_ones_alone(lint, folder, baseline):
    (folder / "app.py").write_text(LOST + SECOND)
    code, out, _ = lint("--diff", "--unsafe-fixes")
    assert code == 1
    assert out.count("create_task") >= 1
    assert "async def first" not in [line[1:] for line in out.splitlines() if line.startswith(("+", "-"))]
    assert lint("--fix", "--unsafe-fixes")[0] == 0
    text = (folder / "app.py").read_text()
    assert "async def first():\n    asyncio.create_task(work())" in text
    assert "async def second():\n    asyncio.create_task(work())" not in text
    assert (folder / "env.py").read_text() == BYPASS
    assert lint()[0] == 0


def test_stdin_knows_them_too_and_writes_nothing(lint, folder, baseline):
    before = baseline.read_text()
    assert lint("-", "--stdin-filename", "app.py", stdin=LOST.encode())[0] == 0
    assert lint("-", "--stdin-filename", "app.py", stdin=(LOST + SECOND).encode())[0] == 1
    assert lint("-", "--stdin-filename", "app.py", stdin=b"x = 1\n")[0] == 0
    code, out, _ = lint("-", "--stdin-filename", "app.py", "--fix", "--unsafe-fixes", stdin=LOST.encode())
    assert (code, out) == (0, LOST)
    assert baseline.read_text() == before


def test_what_cannot_be_used_is_said(lint, folder, baseline):
    baseline.write_text("<<<<<<< HEAD\n")
    code, _, err = lint()
    assert code == 2
    assert "merge conflict" in err
    baseline.unlink()
    assert "no such baseline; write one with --write-baseline" in lint()[2]
    (folder / "pyproject.toml").unlink()
    assert "there is no baseline" in lint("--baseline-check")[2]
    assert lint("--write-baseline", "-", stdin=b"")[0] == 2


def test_an_editor_shows_known_ones_as_hints(lint, folder, baseline):
    (folder / "app.py").write_text(LOST + SECOND)
    linter = Linter(catalog.load(), Resolver(), Task())
    report = linter.check_file("app.py")
    assert report.source is not None
    shown = softened(report.findings, report.source, str(baseline))
    assert [finding.severity is Severity.HINT for finding in shown] == [True, False]
    assert softened(report.findings, report.source, "missing.txt") == report.findings


# ---- since


@pytest.fixture
def repository(folder):
    git(folder, "init")
    (folder / ".gitignore").write_text(".cache\n")
    git(folder, "add", ".")
    git(folder, "commit", "-m", "one")
    return folder


def test_only_what_the_revision_did_not_have(lint, repository):
    assert lint("--since", "HEAD") == (0, "No Python file has changed since HEAD.\n", "")
    (repository / "app.py").write_text(LOST + SECOND)
    code, out, _ = lint("--since", "HEAD", "--output-format", "concise")
    assert code == 1
    assert "app.py:13:5: PIT301" in out
    assert "Found 1 finding in 1 file." in out
    assert lint("--since", "HEAD", "--fix", "--unsafe-fixes")[0] == 0
    assert "async def first():\n    asyncio.create_task(work())" in (repository / "app.py").read_text()


def test_an_old_finding_beside_a_change_is_counted(lint, repository):
    (repository / "app.py").write_text(LOST + "    asyncio.create_task(work())\n")
    code, out, _ = lint("--since", "HEAD")
    assert code == 1
    assert "Found 1 finding in 1 file." in out
    assert "1 finding hidden that HEAD has, too." in out


def test_a_definition_with_another_name_brings_nothing_new(lint, repository):
    (repository / "app.py").write_text(LOST.replace("first", "other") + "\n\nx = 1\n")
    assert lint("--since", "HEAD")[0] == 0
    (repository / "app.py").write_text(LOST.replace("async def first", "x = 1\n\n\nasync def first"))
    assert lint("--since", "HEAD")[0] == 0


def test_a_caller_that_became_wrong(lint, repository):
    (repository / "lib.py").write_text("def send(x):\n    return x\n")
    (repository / "user.py").write_text("from lib import send\n\n\nasync def go():\n    send(1)\n")
    git(repository, "add", ".")
    git(repository, "commit", "-m", "two")
    (repository / "lib.py").write_text("async def send(x):\n    return x\n")
    code, out, _ = lint("--since", "HEAD", "--output-format", "json")
    assert code == 1
    assert codes(out) == ["PIT302"]
    assert codes(lint("--since", "HEAD", "--output-format", "json", "lib.py")[1]) == []


def test_a_renamed_file_brings_nothing_new(lint, repository):
    git(repository, "mv", "app.py", "moved.py")
    assert lint("--since", "HEAD")[0] == 0


def test_an_unknown_revision_is_said(lint, repository):
    code, _, err = lint("--since", "nonsense")
    assert code == 2
    assert "git knows no revision 'nonsense' here" in err


# ---- why


def test_why_fits_into_80_columns(lint, folder):
    code, out, _ = lint("--why", "app.py:9")
    assert code == 0
    assert max(map(len, out.splitlines())) <= 80
    assert "it stands in the coroutine function app.first" in out
    assert "PIT301 nobody can see what" in out


def test_why_names_what_holds_a_finding(lint, folder, baseline):
    assert "pitfall-baseline.txt knows it:" in lint("--why", "app.py:9")[1]
    (folder / "app.py").write_text(LOST.rstrip() + "  # noqa: PIT301\n")
    assert "line 9 silences it: # noqa: PIT301" in lint("--why", "app.py:9", "--no-baseline")[1]
    (folder / "pyproject.toml").write_text(f'{SETTINGS}per-file-ignores = {{ "*.py" = ["tasks"] }}\n')
    assert 'per-file-ignores leaves tasks out here: "*.py"' in lint("--why", "app.py:9")[1]


@pytest.mark.parametrize(
    ("place", "message"),
    [("app.py", "write FILE:LINE"), ("app.py:99", "has 9 lines"), ("gone.py:1", "gone.py: ")],
)
def test_why_says_what_it_cannot_look_at(lint, place, message):
    code, _, err = lint("--why", place)
    assert code == 2
    assert message in err


# ---- init

PYPROJECT = """\
# the top
[project]
name = "x"  # a name

[tool.ruff.lint]  # ours
select = ["E"]
external = [
    "ABC",  # somebody else's
]
"""
HOOKS = """\
repos:
  - repo: https://example.com/other
    rev: v1
    hooks:
      - id: other

# behind
ci:
  autofix: false
"""
WRAPPER = """\
class Client:
    async def get(self, url):
        return url

    async def aclose(self):
        pass
"""


def test_init_keeps_what_is_there_and_runs_twice(lint, folder):
    (folder / "pyproject.toml").write_text(PYPROJECT)
    (folder / ".pre-commit-config.yaml").write_text(HOOKS)
    (folder / "backend/app").mkdir(parents=True)
    (folder / "backend/app/__init__.py").touch()
    assert lint("init", "--diff")[1].count("+external") == 0
    assert (folder / "pyproject.toml").read_text() == PYPROJECT
    code, out, err = lint("init")
    assert (code, err) == (0, "")
    assert "Changed pyproject.toml, .pre-commit-config.yaml." in out
    text = (folder / "pyproject.toml").read_text()
    for comment in ("# the top", "# a name", "# ours", "# somebody else's"):
        assert comment in text
    assert '"PIT"' in text
    assert 'src = [".", "src", "backend"]' in text
    hooks = (folder / ".pre-commit-config.yaml").read_text()
    assert hooks.index("- id: pitfall-lint") < hooks.index("# behind")
    assert hooks.replace(hooks[hooks.index("  - repo: https://github.com") : hooks.index("\n# behind")], "") == HOOKS
    assert lint("init")[1].startswith("Nothing to change")
    assert (folder / "pyproject.toml").read_text() == text


def test_init_without_a_pyproject(lint, folder):
    (folder / "ruff.toml").write_text("line-length = 100\n")
    assert lint("init")[0] == 0
    assert '[lint]\nexternal = ["PIT"]' in (folder / "ruff.toml").read_text()
    assert not (folder / "pyproject.toml").exists()


def test_init_says_what_it_cannot_read(lint, folder):
    (folder / "pyproject.toml").write_text("[tool\n")
    code, _, err = lint("init")
    assert code == 2
    assert "pyproject.toml" in err


def test_add_library_drafts_a_row_that_works(lint, folder):
    (folder / "my_http.py").write_text(WRAPPER)
    (folder / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    assert lint("init", "--add-library", "my_http.Client")[0] == 0
    row = (folder / "pitfall-libraries.toml").read_text()
    assert 'type = "my_http.Client"\nclose = ["aclose"]\nclose_is_async = true\nuses = ["get"]\n' in row
    assert lint("init", "--add-library", "my_http.Client")[1].startswith("Nothing to change")
    assert lint("libraries", "check") == (0, "pitfall-libraries.toml: 1 row (1 session)\n", "")
    for name, message in (
        ("my_http.Nothing", "has no class Nothing"),
        ("nowhere.Client", "no module nowhere"),
        ("x", "MODULE.CLASS"),
    ):
        code, _, err = lint("init", "--add-library", name)
        assert code == 2
        assert message in err


# ---- rows of libraries


def test_libraries_check_names_the_mistake(lint, folder):
    (folder / "rows.toml").write_text('[[sesion]]\ntype = "a.B"\n')
    code, _, err = lint("libraries", "check", "rows.toml")
    assert code == 1
    assert "unknown kind [[sesion]], did you mean 'session'?" in err
    (folder / "rows.toml").write_text('[[spawn]]\ncall = "start"\n')
    code, _, err = lint("libraries", "check", "rows.toml")
    assert code == 0
    assert "'start' has no module before it" in err


@pytest.mark.parametrize("editable", [False, True])
def test_an_installed_package_ships_rows_and_is_not_imported(lint, folder, editable):
    (folder / "pyproject.toml").write_text(SETTINGS)
    site = folder / ".venv/lib/python3.12/site-packages"
    home = folder / ".venv/elsewhere" if editable else site
    info = site / "shiny-1.0.dist-info"
    (home / "shiny/pitfalls").mkdir(parents=True)
    info.mkdir(parents=True)
    (home / "shiny/__init__.py").write_text("raise SystemExit('imported')\n")
    (home / "shiny/pitfalls/rows.toml").write_text('[[spawn]]\ncall = "shiny.start"\n')
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: shiny\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[pitfall_lint.libraries]\nrows = shiny.pitfalls\n")
    listed = "shiny.pth,," if editable else "shiny/pitfalls/rows.toml,,"
    (info / "RECORD").write_text(listed + "\n")
    if editable:
        (site / "shiny.pth").write_text(f"{home}\n")
    (folder / "app.py").write_text(
        "import shiny\n\n\nasync def work(): ...\n\n\nasync def go():\n    shiny.start(work())\n"
    )
    assert codes(lint("app.py", "--output-format", "json")[1]) == ["PIT301"]
    assert "rows.toml: 1 row (1 spawn)" in lint("libraries", "check")[1]


def test_rows_that_this_version_cannot_read_do_not_end_a_run(lint, folder, monkeypatch):
    rows = folder / "new.toml"
    rows.write_text('[[from_the_future]]\nname = "a.b"\n')
    monkeypatch.setattr("pitfall_lint.installed.row_files", lambda root="": (rows,))
    assert lint("app.py")[0] == 1
    with pytest.raises(libraries.LibraryError):
        libraries.load([rows])


def test_a_repeated_run_sees_a_changed_baseline(lint, folder, baseline):
    """Runs that are answered from the cache depend on the baseline."""

    def program(*arguments: str) -> int:
        return subprocess.run([sys.executable, "-m", "pitfall_lint", *arguments], capture_output=True).returncode

    import time

    time.sleep(0.05)
    assert [program("."), program(".")] == [0, 0]
    baseline.write_text("")
    assert program(".") == 1
