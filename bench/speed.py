"""Speed against other linters, as ratios: `python bench/speed.py` gets pinned corpora from PyPI and measures in rounds.

Every round runs every tool once, so that a noisy machine disturbs all of them alike; what is printed is the
median ratio to ruff with the lowest and highest one. Tools that are not installed are left out.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

CORPORA = {
    "homeassistant": "homeassistant==2024.3.3",
    "litellm": "litellm==1.109.1",
    "langchain-community": "langchain-community==0.4.2",
    "open-webui": "open-webui==0.12.4",
    "gradio": "gradio==6.31.0",
    "chainlit": "chainlit==2.12.0",
    "django": "django==5.2.19",
}
RUFF = ("check", "--isolated", "--quiet", "--exit-zero", "--output-format=concise", "--select=ASYNC,RUF006,S113")
OURS = (sys.executable, "-m", "pitfall_lint", "--isolated", "--quiet", "--exit-zero", "--output-format=concise")
PYLINT = "bad-open-mode,await-outside-async,yield-inside-async-function,not-async-context-manager"


class Cost:
    """What one run took: CPU seconds of all its processes, wall-clock seconds, and the peak memory of one process in MB."""

    def __init__(self, command: Iterable[str], environment: dict[str, str], folder: Path) -> None:
        started = time.perf_counter()
        process = subprocess.Popen(
            list(command), env=environment, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        self.wall = time.perf_counter() - started
        self.cpu = usage.ru_utime + usage.ru_stime
        self.memory = usage.ru_maxrss / (1024 if sys.platform != "darwin" else 1024 * 1024)


def fetch(name: str, folder: Path) -> Path:
    """Return a folder with an unpacked corpus, got with pip when it is not there yet."""
    target = folder / name
    if not target.is_dir():
        with tempfile.TemporaryDirectory() as wheels:
            pip = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:")
            pip = (*pip, "--python-version=3.13", "--dest", wheels)
            subprocess.run([*pip, CORPORA[name]], check=True)
            partial = folder / f"{name}.part"
            for wheel in Path(wheels).glob("*.whl"):
                zipfile.ZipFile(wheel).extractall(partial)
            partial.rename(target)
    return target


def tools(corpus: Path, scratch: Path) -> dict[str, Callable[[], list[str]]]:
    """Return the commands by name; warm ones have run once before."""
    path = str(corpus)
    found: dict[str, Callable[[], list[str]]] = {
        "ours cold": lambda: [*OURS, "--no-cache", path],
        "ours cold, ALL": lambda: [*OURS, "--no-cache", "--select=ALL", path],
        "ours warm": lambda: [*OURS, path],
    }
    if ruff := shutil.which("ruff"):
        found = {
            "ruff cold": lambda: [ruff, *RUFF, "--no-cache", path],
            "ruff warm": lambda: [ruff, *RUFF, f"--cache-dir={scratch / 'ruff'}", path],
            **found,
        }
    if flake8_async := shutil.which("flake8"):
        found["flake8-async"] = lambda: [flake8_async, "--isolated", "--select=ASYNC", "--jobs=1", path]
    if fixit := shutil.which("fixit"):
        found["fixit"] = lambda: [fixit, "lint", path]
    if pylint := shutil.which("pylint"):
        found["pylint"] = lambda: [pylint, "--disable=all", f"--enable={PYLINT}", "--recursive=y", path]
    return found


def edited(corpus: Path) -> Path:
    """Change one file of a corpus in a way that means nothing, and return it."""
    path = sorted(corpus.rglob("*.py"), key=lambda file: (file.stat().st_size, file))[
        -len(list(corpus.rglob("*.py"))) // 2
    ]
    path.write_bytes(path.read_bytes() + b"\n")
    return path


def grown(corpus: Path, times: int, folder: Path) -> Path:
    """Return a tree that holds a corpus several times."""
    target = folder / f"{corpus.name}x{times}"
    for number in range(times):
        if not (target / f"copy{number}").is_dir():
            shutil.copytree(corpus, target / f"copy{number}")
    return target


def measure(corpus: Path, rounds: int, slow: bool, scratch: Path) -> dict[str, list[Cost]]:
    """Run all tools in rounds and return what each run took."""
    environment = {**os.environ, "PITFALL_LINT_CACHE_DIR": str(scratch / "ours"), "PYTHONDONTWRITEBYTECODE": ""}
    environment.pop("PITFALL_LINT_NO_CACHE", None)
    commands = tools(corpus, scratch)
    for name in ("ruff warm", "ours warm"):
        if name in commands:
            Cost(commands[name](), environment, scratch)
    costs: dict[str, list[Cost]] = {}
    for number in range(rounds):
        for name, command in commands.items():
            if name in ("flake8-async", "fixit", "pylint") and (number or not slow):
                continue
            costs.setdefault(name, []).append(Cost(command(), environment, scratch))
        if "ours warm" in commands:
            edited(corpus)
            costs.setdefault("ours, one file changed", []).append(Cost(commands["ours warm"](), environment, scratch))
            one = [*OURS, "--no-cache", str(edited(corpus))]
            costs.setdefault("ours, one file given", []).append(Cost(one, environment, scratch))
            Cost(commands["ours warm"](), environment, scratch)
            if "ruff warm" in commands:
                Cost(commands["ruff warm"](), environment, scratch)
    return costs


def table(name: str, corpus: Path, costs: dict[str, list[Cost]]) -> str:
    """Return the figures of one corpus as Markdown."""
    lines = sum(path.read_bytes().count(b"\n") for path in corpus.rglob("*.py"))
    rows = [
        f"### {name}, {lines:,} lines",
        "",
        "| | CPU s | to ruff (min–max) | wall s | MB |",
        "|---|---|---|---|---|",
    ]
    for tool, runs in costs.items():
        base = costs.get("ruff warm" if "warm" in tool or "changed" in tool else "ruff cold")
        ratio = "–"
        if base:
            ratios = [run.cpu / max(other.cpu, 0.001) for run, other in zip(runs, base, strict=False)]
            ratio = f"{statistics.median(ratios):.2f}× ({min(ratios):.2f}–{max(ratios):.2f})"
        cpu, wall = (statistics.median(getattr(run, what) for run in runs) for what in ("cpu", "wall"))
        rows.append(f"| {tool} | {cpu:.2f} | {ratio} | {wall:.2f} | {max(run.memory for run in runs):.0f} |")
    return "\n".join([*rows, ""])


def main() -> None:
    """Get the corpora, measure, and print one table each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpora", nargs="*", default=list(CORPORA), metavar="CORPUS", help=", ".join(CORPORA))
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent / ".corpora", help="where the corpora lie")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--slow", action="store_true", help="run flake8-async, Fixit and pylint, too")
    parser.add_argument("--growth", metavar="CORPUS", help="measure a corpus 1, 2, 4 and 8 times over instead")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        if options.growth:
            corpus = fetch(options.growth, options.folder)
            for times in (1, 2, 4, 8):
                cost = Cost(
                    [*OURS, "--no-cache", str(grown(corpus, times, Path(scratch)))], dict(os.environ), Path(scratch)
                )
                print(f"×{times}: {cost.cpu:.2f} s CPU, {cost.wall:.2f} s, {cost.memory:.0f} MB", flush=True)
            return
        for name in options.corpora:
            corpus = fetch(name, options.folder)
            print(table(name, corpus, measure(corpus, options.rounds, options.slow, Path(scratch))), flush=True)


if __name__ == "__main__":
    main()
