"""Whatever lies in the tree: one clear line, the right exit code, the other files linted, no traceback."""

from __future__ import annotations

import codecs
import json
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

LOST = "import asyncio\n\n\nasync def main(work):\n    asyncio.create_task(work())\n"
BYPASS = 'import os\n\nos.environ["no_proxy"] = "localhost"\n'


@pytest.fixture
def lint(tmp_path, monkeypatch):
    """Run the real program in a folder that holds one file with a finding; return code, JSON and errors."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "good.py").write_text(LOST)
    env = os.environ | {"PITFALL_LINT_CACHE_DIR": str(tmp_path / ".cache")}

    def call(*arguments: str) -> tuple[int, list[dict], str]:
        command = [sys.executable, "-m", "pitfall_lint", "--output-format", "json", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=180)
        assert "Traceback" not in done.stderr, done.stderr
        entries = json.loads(done.stdout) if done.stdout.startswith("[") else []
        return done.returncode, entries, done.stderr

    return call


def found(entries: list[dict]) -> list[tuple[str, str, int]]:
    return [(Path(entry["filename"]).name, entry["code"], entry["location"]["row"]) for entry in entries]


GOOD = ("good.py", "PIT301", 5)


@pytest.mark.parametrize(
    ("data", "row", "message"),
    [
        (b"x = '\xff\xfe'\n", 1, "ot valid utf-8"),
        (b"x = 1\ny = '\0'\n", 2, "NUL"),
        (b"# coding: latin-9000\nx = 1\n", 1, "encoding"),
        (b"def f(:\n    pass\n", 1, ""),
        (b"x = 1\n  y = 2\n", 2, "ndent"),
        (b"x = '''\n", 1, ""),
        (b"x = (\n", 1, ""),
        (b"print 'hello'\n", 1, ""),
        (b"x = " + b"(" * 5000 + b")" * 5000 + b"\n", 1, ""),
        (b"x = " + b"[" * 5000 + b"\n", 1, ""),
        (b"x = " + b"-" * 20000 + b"1\n", 1, ""),
    ],
    ids=[
        "bytes",
        "nul",
        "coding",
        "syntax",
        "indent",
        "string",
        "open",
        "python2",
        "parens",
        "brackets",
        "minus",
    ],
)
def test_what_is_no_python_is_a_finding(lint, tmp_path, data, row, message):
    (tmp_path / "bad.py").write_bytes(data)
    code, entries, errors = lint(".")
    assert code == 1, errors
    assert errors == ""
    assert found(entries) == [("bad.py", "PIT001", row), GOOD]
    assert message in entries[0]["message"]
    assert entries[0]["name"] == "syntax-error"


@pytest.mark.parametrize(
    "data",
    [
        codecs.BOM_UTF8 + LOST.encode(),
        LOST.replace("\n", "\r\n").encode(),
        codecs.BOM_UTF8 + LOST.replace("\n", "\r\n").encode(),
        LOST.replace("    ", "\t").encode(),
        LOST.replace("\n\n\n", "\n\x0c\n\n").encode(),
        LOST.rstrip().encode(),
        LOST.replace("\n", "\r").encode(),
        ("# coding: latin-1\n" + LOST.replace("\n\n\n", "\n# é\n")).encode("latin-1"),
        ("# é\u2028 is no newline\n" + LOST.replace("\n\n\n", "\n\n")).encode(),
    ],
    ids=["bom", "crlf", "bom-crlf", "tabs", "form-feed", "no-newline", "cr", "latin-1", "u2028"],
)
def test_odd_but_good_text(lint, tmp_path, data):
    (tmp_path / "odd.py").write_bytes(data)
    code, entries, errors = lint("odd.py", "--fix", "--unsafe-fixes", "--diff")
    assert errors.startswith("Would fix 1 finding; 0 would stay.")
    code, entries, errors = lint("odd.py")
    assert (code, found(entries), errors) == (1, [("odd.py", "PIT301", 5)], "")
    assert entries[0]["location"]["column"] in (2, 5)


@pytest.mark.parametrize(
    "data",
    [
        codecs.BOM_UTF8 + BYPASS.encode(),
        BYPASS.replace("\n", "\r\n").encode(),
        BYPASS.rstrip().encode(),
        ("# coding: latin-1\n# é\n" + BYPASS).encode("latin-1"),
        ("# -*- coding: utf-8 -*-\n# 日本 😀\n" + BYPASS).encode(),
        BYPASS.replace("\n", "  # kept\t\n").encode(),
    ],
    ids=["bom", "crlf", "no-newline", "latin-1", "utf-8", "blanks"],
)
def test_fixing_keeps_everything_else(lint, tmp_path, data):
    path = tmp_path / "odd.py"
    path.write_bytes(data)
    path.chmod(0o750)
    (tmp_path / "link.py").symlink_to("odd.py")
    code, entries, errors = lint("link.py", "--fix", "--select", "PIT503")
    assert (code, entries, errors) == (0, [], "")
    mended = path.read_bytes()
    assert mended != data
    assert stat.S_IMODE(path.stat().st_mode) == 0o750
    assert (tmp_path / "link.py").is_symlink()
    assert mended.startswith(codecs.BOM_UTF8) == data.startswith(codecs.BOM_UTF8)
    assert mended.count(b"\n") == mended.count(b"\r\n") or b"\r" not in data
    assert mended.endswith(b"\n") == data.endswith(b"\n")
    for line in data.splitlines():
        assert b"no_proxy" in line or line in mended
    assert sorted(name for name in os.listdir(tmp_path) if "tmp" in name) == []


def test_syntax_newer_than_the_interpreter(lint, tmp_path):
    (tmp_path / "new.py").write_text('x = f"{"nested"}"\n' + LOST)
    _, entries, _ = lint("new.py")
    assert ("new.py", "PIT301", 6) in found(entries)


def test_ten_megabytes(lint, tmp_path):
    (tmp_path / "code.py").write_text(f"x = '{'y' * 150}'\n" * 65_000)
    (tmp_path / "data.py").write_text(LOST + "\n\nDATA = '''\n" + "lorem ipsum dolor sit amet\n" * 400_000 + "'''\n")
    code, entries, errors = lint("code.py", "data.py", "good.py")
    assert (code, errors) == (1, "")
    assert found(entries) == [("data.py", "PIT301", 5), GOOD]


def test_paths_that_cannot_be_used(lint, tmp_path):
    os.mkfifo(tmp_path / "pipe.py")
    (tmp_path / "dangling.py").symlink_to("nowhere.py")
    (tmp_path / "loop.py").symlink_to("loop.py")
    for path, reason in (
        ("missing.py", "no such file or directory"),
        ("pipe.py", "not a regular file"),
        ("dangling.py", "no such file or directory"),
        ("loop.py", "too many levels of symbolic links"),
        ("good.py/inside", "not a directory"),
        ("a\nb", "no such file"),
    ):
        code, entries, errors = lint(path, "good.py")
        assert code == 2
        assert found(entries) == [GOOD]
        assert reason in errors.lower(), errors
    code, entries, errors = lint(".")  # below a folder they are no files, and no matter
    assert (code, found(entries), errors) == (1, [GOOD], "")


def test_a_circle_of_folders(lint, tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "up").symlink_to("..")
    (tmp_path / "sub" / "bad.py").write_text(LOST)
    code, entries, errors = lint(".")
    assert (code, found(entries), errors) == (1, [GOOD, ("bad.py", "PIT301", 5)], "")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_no_permission(lint, tmp_path):  # pragma: no cover
    (tmp_path / "secret.py").write_text(LOST)
    (tmp_path / "secret.py").chmod(0)
    (tmp_path / "closed").mkdir()
    (tmp_path / "closed").chmod(0)
    try:
        code, entries, errors = lint(".")
        assert code == 2
        assert found(entries) == [GOOD]
        assert errors.lower().count("permission denied") == 2
    finally:
        (tmp_path / "closed").chmod(0o700)


def test_no_permission_as_told_by_the_system(tmp_path, monkeypatch, capsys):
    from pitfall_lint import linter as runner
    from pitfall_lint.cli import run

    monkeypatch.chdir(tmp_path)
    (tmp_path / "good.py").write_text(LOST)
    (tmp_path / "secret.py").write_text(LOST)
    monkeypatch.setenv("PITFALL_LINT_CACHE_DIR", str(tmp_path / ".cache"))
    real = runner.read

    def read(path):
        if path.endswith("secret.py"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(runner, "read", read)
    code = run(["--output-format", "concise", "-q", "--no-cache", "--jobs", "1"])
    captured = capsys.readouterr()
    assert code == 2
    assert captured.out.startswith("good.py:5:5: PIT301")
    assert captured.err.lower() == "error: secret.py: permission denied\n"


def test_names_that_are_no_text(lint, tmp_path):
    try:
        (Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.py"))).write_text(LOST)
    except OSError:  # pragma: no cover - file systems that insist on UTF-8
        pytest.skip("the file system takes no such name")
    for form in ("full", "concise", "grouped", "github", "gitlab", "sarif", "junit", "rdjson", "json-lines"):
        command = [sys.executable, "-m", "pitfall_lint", ".", "--output-format", form]
        done = subprocess.run(command, capture_output=True, cwd=tmp_path)
        assert done.returncode == 1, done.stderr
        assert done.stderr == b""
    _, entries, _ = lint(".")
    assert len(entries) == 2


def pipeline(tmp_path: Path, command: str) -> subprocess.CompletedProcess[str]:
    env = os.environ | {"PY": sys.executable, "PITFALL_LINT_CACHE_DIR": str(tmp_path / ".cache")}
    return subprocess.run(["bash", "-c", command], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60)


def test_a_pipe_that_closes_early(tmp_path):
    for number in range(300):
        (tmp_path / f"a{number}.py").write_text(LOST)
    done = pipeline(tmp_path, '"$PY" -m pitfall_lint . --output-format full | head -n 1; echo "${PIPESTATUS[0]}"')
    assert done.stderr == ""
    assert done.stdout.startswith("PIT301 ")
    assert done.stdout.splitlines()[-1] == "1"


@pytest.mark.parametrize(
    ("command", "code", "error"),
    [
        ('"$PY" -m pitfall_lint - <&-', 2, "error: standard input is closed\n"),
        ('"$PY" -m pitfall_lint good.py >&-', 1, ""),
        ('"$PY" -m pitfall_lint good.py >&- 2>&-', 1, ""),
        ('"$PY" -m pitfall_lint good.py >/dev/full', 2, "error: No space left on device\n"),
        ('LC_ALL=C PYTHONIOENCODING=ascii "$PY" -m pitfall_lint good.py >/dev/null', 1, ""),
        ('echo "x = 1" | "$PY" -m pitfall_lint -', 0, ""),
    ],
)
def test_streams(tmp_path, command, code, error):
    (tmp_path / "good.py").write_text(LOST)
    done = pipeline(tmp_path, command)
    assert (done.returncode, done.stderr) == (code, error)


def test_the_folder_has_gone(tmp_path):
    done = pipeline(tmp_path, 'mkdir gone; cd gone; rmdir ../gone; "$PY" -m pitfall_lint .')
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_being_interrupted_leaves_every_file_whole(tmp_path):
    for number in range(150):
        (tmp_path / f"a{number}.py").write_text(LOST)
    command = [sys.executable, "-m", "pitfall_lint", ".", "--fix", "--unsafe-fixes", "--no-cache"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 30
    while (tmp_path / "a0.py").read_text() == LOST and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    errors = process.communicate(timeout=60)[1]
    assert "Traceback" not in errors
    texts = {path.read_text() for path in tmp_path.glob("a*.py")}
    assert len(texts) <= 2  # the old one and the mended one
    assert not [name for name in os.listdir(tmp_path) if name.endswith(".tmp")]
    assert process.returncode in (0, 130)


def test_what_only_the_compiler_refuses(lint, tmp_path):
    """`ast` reads a bare `except:` that is not the last one, LibCST refuses it by an error of its own."""
    text = "import asyncio\n\n\nasync def run():\n    while True:\n        try:\n            await asyncio.sleep(1)\n"
    handlers = "        except:\n            pass\n        except ValueError:\n            pass\n"
    (tmp_path / "odd.py").write_text(text + handlers)
    code, entries, errors = lint(".", "--select", "ALL")
    assert code == 1
    assert "internal error" not in errors
    assert GOOD in found(entries)
