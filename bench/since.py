"""Is a bug caught by linting the commit that brought it alone, and at what cost? `python bench/since.py --help`.

Cases are lines of JSON that name a public repository, the last commit that still has the bug, the file and its
lines, and the rules that fit. The commit that brought those lines is found with `git blame`, checked out, and
linted with `--since` its parent; CPU seconds are those of all processes, git's too. The program has run before, so
that Python has compiled it and the library rows are read; of the tree it knows nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_TRIED = 3
"""Commits of a case that are tried: the bug's lines may be older than the bug."""
_SECONDS = 120


@dataclass(frozen=True)
class Run:
    """One commit linted alone."""

    cpu: float
    wall: float
    findings: list[dict[str, Any]]
    files: int
    """Python files that the commit changed."""


def git(folder: Path, *arguments: str) -> str:
    """Return what git prints. Raises subprocess.CalledProcessError."""
    command = ["git", "-C", str(folder), "-c", "advice.detachedHead=false", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, errors="replace").stdout


def tree_of(mirror: Path, folder: Path) -> Path:
    """Return a working tree that shares the mirror's objects, made when it is not there yet."""
    tree = folder / mirror.parent.name
    if not tree.exists():
        git(folder, "clone", "--quiet", "--shared", "--no-checkout", str(mirror), str(tree))
    return tree


def brought_by(tree: Path, case: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the commits that brought the lines of a case, with the file's name then; those of most lines first."""
    first, last = case["lines"]
    told = git(tree, "blame", "-w", "--line-porcelain", f"-L{first},{last}", case["before"], "--", case["path"])
    found: Counter[tuple[str, str]] = Counter()
    commit = ""
    for line in told.splitlines():
        words = line.split(" ")
        if len(words[0]) == 40 and len(words) >= 3:
            commit = words[0]
        elif words[0] == "filename":
            found[commit, line.partition(" ")[2]] += 1
    yield from (place for place, _ in found.most_common(_TRIED))


def environment(folder: Path) -> dict[str, str]:
    """Return an environment in which compiled code and library rows are kept, as they are where it is installed."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"PITFALL_LINT_CACHE_DIR": str(folder.resolve() / ".cache")}


def warm_up(folder: Path) -> None:
    """Run once, so that what is kept between runs is there."""
    some = folder / ".warm_up.py"
    some.write_text("import asyncio\n\n\nasync def f():\n    asyncio.create_task(f())\n", "utf-8")
    command = [sys.executable, "-m", "pitfall_lint", "--isolated", "--select", "ALL", str(some)]
    subprocess.run(command, env=environment(folder), capture_output=True)


def lint(tree: Path, commit: str) -> Run:
    """Lint one commit alone. Raises subprocess.CalledProcessError where it has no parent."""
    git(tree, "checkout", "--quiet", "--force", commit)
    git(tree, "update-index", "-q", "--refresh")
    changed = git(tree, "diff", "--name-only", f"{commit}~1", commit, "--", "*.py").count("\n")
    command = [sys.executable, "-m", "pitfall_lint", "--isolated", "--quiet", "--since", "HEAD~1"]
    started = time.perf_counter()
    process = subprocess.Popen(
        [*command, "--output-format", "json", "."],
        cwd=tree,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment(tree.parent),
    )
    assert process.stdout is not None
    out = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    findings = json.loads(out) if process.returncode in (0, 1) else []
    return Run(usage.ru_utime + usage.ru_stime, time.perf_counter() - started, findings, changed)


def main() -> None:
    """Print a line for each case, and the distribution of the cost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=Path, required=True, help="folder of *.jsonl files, or one of them")
    parser.add_argument("--mirrors", type=Path, required=True, help="folder of bare clones: OWNER+NAME/repo")
    parser.add_argument("--trees", type=Path, required=True, help="scratch folder for working trees")
    parser.add_argument("--only", default="", help="cases or repositories whose name has this in it")
    options = parser.parse_args()
    options.trees.mkdir(parents=True, exist_ok=True)
    files = sorted(options.cases.glob("*.jsonl")) if options.cases.is_dir() else [options.cases]
    cases = [json.loads(line) for file in files for line in file.read_text("utf-8").splitlines() if line.strip()]
    costs: list[float] = []
    warm_up(options.trees)
    print(f"{'case':13} {'rule':7} {'commit':10} {'files':>5} {'CPU s':>6} {'wall s':>6}  caught")
    for case in cases:
        mirror = options.mirrors / case["repo"].replace("/", "+") / "repo"
        wanted = case["kind"] == "bug" and case.get("rule") and mirror.is_dir()
        if not wanted or options.only not in f"{case['id']} {case['repo']}":
            continue
        tree = tree_of(mirror, options.trees)
        tried: list[tuple[str, Run]] = []
        caught = False
        try:
            for commit, path in brought_by(tree, case):
                tried.append((commit, run := lint(tree, commit)))
                caught = any(f["code"] in case["rule"] and f["filename"].endswith(path) for f in run.findings)
                if caught:
                    break
        except subprocess.CalledProcessError:
            pass  # the first commit of a history has nothing to be compared with
        if tried:
            commit, run = tried[-1]
            told = "yes" if caught else "no"
            rules = ",".join(case["rule"])
            print(
                f"{case['id']:13} {rules:7} {commit[:10]} {run.files:5} {run.cpu:6.2f} {run.wall:6.2f}  {told}",
                flush=True,
            )
            costs += [run.cpu] if caught else []
    if costs:
        costs.sort()
        share = sum(cost <= 1 for cost in costs)
        print(
            f"{len(costs)} caught; CPU median {statistics.median(costs):.2f} s, most {costs[-1]:.2f} s, ≤ 1 s: {share}"
        )


if __name__ == "__main__":
    main()
