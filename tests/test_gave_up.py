"""A function beyond the effort: no finding, no long wait, and who wants to know is told."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from evidence import project, rules

from pitfall_lint.lint import lint_with_facts
from pitfall_lint.source import Source

STRAIGHT = """import httpx


async def straight(url, flags):
    client = httpx.AsyncClient()
    await client.get(url)
    await client.aclose()
    await client.get(url)
"""


def tangled(branches: int) -> str:
    """Return a module with a function of so many independent flags, each of which decides twice."""
    lines = ["import httpx", "", "", "async def tangled(url, flags):", "    client = httpx.AsyncClient()"]
    lines += [f"    f{i} = flags[{i}]" for i in range(branches)]
    for i in range(branches):
        lines += [f"    if f{i}:", "        await client.get(url)"]
    for i in range(branches):
        lines += [f"    if not f{i}:", "        await client.aclose()"]
    return "\n".join([*lines, "    await client.get(url)", ""])


def test_a_tangled_function_is_passed_over_and_told(tmp_path: Path) -> None:
    path = tmp_path / "tangled.py"
    path.write_text(f"{STRAIGHT}\n\n{tangled(220).partition('import httpx')[2].lstrip()}", "utf-8")
    source = Source(str(path), path.read_bytes())
    began = time.process_time()
    linted = lint_with_facts(source, rules().select(["PIT3", "PIT4"]), project(tmp_path))
    assert time.process_time() - began < 60
    line = 1 + source.data[: source.data.index(b"async def tangled")].count(b"\n")
    assert [text.removeprefix(f"{path}:") for text in linted.gave_up] == [
        f"{line}: tangled() is too tangled to be followed; some rules pass it over"
    ]
    assert "PIT401" in {finding.code for finding in linted.findings}, "the straight function is still judged"


def test_nothing_is_told_of_what_could_be_followed(tmp_path: Path) -> None:
    source = Source(str(tmp_path / "straight.py"), STRAIGHT.encode())
    assert lint_with_facts(source, rules().select(["PIT3", "PIT4"]), project(tmp_path)).gave_up == ()


def test_verbose_names_file_and_function(tmp_path: Path) -> None:
    (tmp_path / "tangled.py").write_text(tangled(40), "utf-8")
    command = [sys.executable, "-m", "pitfall_lint", "check", "--no-cache", "--isolated", "tangled.py"]
    for flags, told in (([], False), (["--verbose"], True)):
        done = subprocess.run([*command, *flags], capture_output=True, text=True, cwd=tmp_path)
        assert done.returncode == 0
        assert ("tangled.py:4: tangled() is too tangled" in done.stderr) is told
