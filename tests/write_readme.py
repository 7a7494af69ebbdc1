"""Writes what is generated in the README: the rules table and the output of the first command."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from pitfall_lint import catalog
from pitfall_lint.cli.rules import markdown

ROOT = Path(__file__).resolve().parent.parent


def screen(*arguments: str) -> str:
    """Return what the program prints in the checkout, on 80 columns without colours."""
    env = os.environ | {"COLUMNS": "80", "NO_COLOR": "1"}
    command = [sys.executable, "-m", "pitfall_lint", *arguments]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True).stdout


def written(text: str) -> str:
    """Return the README with its generated parts made anew."""
    table = markdown(list(catalog.load()))
    text = _between(text, "<!-- rules -->\n", "<!-- end of rules -->", table)
    for match in re.finditer(r"^<!-- output: (.+?) -->\n", text, re.MULTILINE):
        out = f"```text\n$ pitfall-lint {match[1]}\n{screen(*shlex.split(match[1]))}```\n"
        text = _between(text, match[0], "<!-- end of output -->", out)
    return text


def _between(text: str, begin: str, end: str, new: str) -> str:
    head, found, rest = text.partition(begin)
    assert found, begin
    return head + begin + new + end + rest.partition(end)[2]


if __name__ == "__main__":
    readme = ROOT / "README.md"
    readme.write_text(written(readme.read_text("utf-8")), encoding="utf-8")
