"""Speed against other linters, as ratios: `python bench/speed.py` gets pinned corpora from PyPI and measures in rounds.

Every round runs every tool once, so that a noisy machine disturbs all of them alike; what is printed is the median
of CPU, wall-clock time and peak memory, and the median ratio of CPU to ruff with the lowest and highest one. Tools
that are not installed are left out. `--slow` runs flake8-async, Fixit and pylint as well, once.

    python bench/speed.py gradio --shares         lines that reach ast, drafts and LibCST, counted
    python bench/speed.py gradio --growth         the same tree 1, 2, 4 and 8 times
    python bench/speed.py gradio django --dask    all corpora side by side, by a Dask cluster of two workers here
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
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
PLAIN = ("--isolated", "--quiet", "--exit-zero", "--output-format=concise")
OURS = (sys.executable, "-m", "pitfall_lint", *PLAIN)
RUFF = ("check", *PLAIN, "--select=ASYNC,RUF006,S113")
PYLINT = "bad-open-mode,await-outside-async,yield-inside-async-function,not-async-context-manager"
SLOW = ("flake8-async", "fixit", "pylint")
QUIET = "".join(
    f"def number_{n}(first: int, second: int) -> int:\n"
    f'    """Return one of the numbers."""\n    total = first + {n}\n    if total > second:\n'
    "        return second\n    return total\n\n\n"
    for n in range(37)
)
"""A file of some 300 lines of which none is suspicious."""
LOST = "import asyncio\n\n\nasync def main(save) -> None:\n    asyncio.create_task(save())\n\n\n" + QUIET


class Cost:
    """What one run took: CPU seconds of all its processes, wall-clock seconds, and the largest process in MB."""

    def __init__(self, command: list[str], environment: dict[str, str], folder: Path) -> None:
        started = time.perf_counter()
        process = subprocess.Popen(
            command, env=environment, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode == 2 and "pitfall_lint" in command:
            raise SystemExit(f"this failed: {' '.join(command)}")
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


def own_environment(scratch: Path) -> dict[str, str]:
    """Return the environment of all runs: a cache of its own, and compiled modules, as installed ones are."""
    environment = {**os.environ, "PITFALL_LINT_CACHE_DIR": str(scratch / "ours")}
    environment["PYTHONPYCACHEPREFIX"] = str(scratch / "compiled")
    for name in ("PITFALL_LINT_NO_CACHE", "PYTHONDONTWRITEBYTECODE"):
        environment.pop(name, None)
    return environment


def tools(corpus: Path, scratch: Path, slow: bool) -> dict[str, list[str]]:
    """Return the commands by name."""
    path, found = str(corpus), {}
    if ruff := shutil.which("ruff"):
        found["ruff cold"] = [ruff, *RUFF, "--no-cache", path]
        found["ruff warm"] = [ruff, *RUFF, f"--cache-dir={scratch / 'ruff'}", path]
    found["ours cold"] = [*OURS, "--no-cache", path]
    found["ours cold, ALL"] = [*OURS, "--no-cache", "--select=ALL", path]
    found["ours warm"] = [*OURS, path]
    if slow and (flake8 := shutil.which("flake8")):
        found["flake8-async"] = [flake8, "--isolated", "--select=ASYNC", "--jobs=1", path]
    if slow and (fixit := shutil.which("fixit")):
        found["fixit"] = [fixit, "lint", path]
    if slow and (pylint := shutil.which("pylint")):
        found["pylint"] = [pylint, "--disable=all", f"--enable={PYLINT}", "--recursive=y", path]
    return found


@contextlib.contextmanager
def edited(corpus: Path) -> Iterator[None]:
    """Change one file of a corpus in a way that means nothing, for a while."""
    files = sorted(corpus.rglob("*.py"), key=lambda file: (file.stat().st_size, file))
    path = files[len(files) // 2]
    before = path.read_bytes()
    path.write_bytes(before + b"\n")
    time.sleep(0.05)  # so old that a later change can be told from it
    try:
        yield
    finally:
        path.write_bytes(before)


@contextlib.contextmanager
def given(corpus: Path, text: str) -> Iterator[Path]:
    """Put a file of 300 lines beside the largest package's modules, for a while."""
    package = max(corpus.rglob("__init__.py"), key=lambda file: len(list(file.parent.glob("*.py")))).parent
    path = package / "pitfall_lint_bench.py"
    path.write_text(text)
    time.sleep(0.05)
    try:
        yield path
    finally:
        path.unlink()


def measure(corpus: Path, rounds: int, slow: bool, scratch: Path) -> dict[str, list[Cost]]:
    """Run all tools in rounds and return what each run took."""
    environment, commands = own_environment(scratch), tools(corpus, scratch, slow)
    costs: dict[str, list[Cost]] = {}

    def run(name: str, command: list[str]) -> None:
        costs.setdefault(name, []).append(Cost(command, environment, scratch))

    def settle(name: str) -> None:
        if name in commands:
            Cost(commands[name], environment, scratch)

    for number in range(rounds):
        for name in ("ruff warm", "ours warm"):
            settle(name)
        for name, command in commands.items():
            if name not in SLOW or not number:
                run(name, command)
        with edited(corpus):
            for name in ("ruff", "ours"):
                if f"{name} warm" in commands:
                    run(f"{name}, one file changed", commands[f"{name} warm"])
        for what, text in (("with a finding", LOST), ("nothing suspicious", QUIET)):
            with given(corpus, text) as path:
                settle("ours warm") if not number else None
                if "ruff cold" in commands:
                    run(f"ruff, one file given, {what}", [*commands["ruff cold"][:-1], str(path)])
                path.write_text(text + "\n" * (number + 1))  # it was not seen before
                time.sleep(0.05)
                run(f"ours, one file given, {what}", [*OURS, str(path)])
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
        own = tool.replace("ours", "ruff").replace(", ALL", "") if tool.startswith("ours") else "ruff cold"
        ratio = "–"
        if (base := costs.get(own)) and not tool.startswith("ruff"):
            ratios = [run.cpu / max(other.cpu, 0.001) for run, other in zip(runs, base, strict=False)]
            ratio = f"{statistics.median(ratios):.2f}× ({min(ratios):.2f}–{max(ratios):.2f})"
        cpu, wall = (statistics.median(getattr(run, what) for run in runs) for what in ("cpu", "wall"))
        rows.append(f"| {tool} | {cpu:.2f} | {ratio} | {wall:.2f} | {max(run.memory for run in runs):.0f} |")
    return "\n".join([*rows, ""])


def shares(name: str, corpus: Path, scratch: Path) -> str:
    """Return how many lines of a corpus are parsed by what, for the default rules and for all of them."""
    rows = []
    for rules in ((), ("--select=ALL",)):
        command = [*OURS, "--no-cache", "--jobs=1", "--timing=json", *rules, str(corpus)]
        ran = subprocess.run(command, env=own_environment(scratch), cwd=scratch, capture_output=True, text=True)
        if ran.returncode:
            raise SystemExit(ran.stderr)
        told = json.loads(ran.stderr[ran.stderr.index("{") :])
        every = told["lines"]["all"]
        cells = [f"{told['lines'][kind]:,} ({told['lines'][kind] / every:.2%})" for kind in ("ast", "drafts", "libcst")]
        files = f"{told['files']['looked']:,} of {told['files']['all']:,}"
        rows.append(f"| {name}, {'ALL' if rules else 'default'} | {every:,} | {' | '.join(cells)} | {files} |")
    return "\n".join(rows)


def growth(corpus: Path, scratch: Path) -> Iterator[str]:
    """Yield what a tree costs that holds a corpus 1, 2, 4 and 8 times."""
    tree, first = scratch / "grown", 0.0
    yield f"### {corpus.name}, grown\n\n| | CPU s | per copy | wall s | MB |\n|---|---|---|---|---|"
    for times in (1, 2, 4, 8):
        for number in range(times):
            if not (tree / f"copy{number}").is_dir():
                shutil.copytree(corpus, tree / f"copy{number}")
        cost = Cost([*OURS, "--no-cache", str(tree)], own_environment(scratch), scratch)
        first = first or cost.cpu
        yield f"| ×{times} | {cost.cpu:.2f} | {cost.cpu / times / first:.2f}× | {cost.wall:.2f} | {cost.memory:.0f} |"


def on_a_cluster(corpora: list[Path], scratch: Path) -> Iterator[str]:
    """Yield what a tree of several corpora costs here alone, and with a Dask cluster of two workers on this machine."""
    from distributed import LocalCluster

    tree, environment = scratch / "organisation", own_environment(scratch)
    for corpus in corpora:
        shutil.copytree(corpus, tree / corpus.name)
    yield "| | CPU s here | wall s | findings |\n|---|---|---|---|"
    said = []
    with LocalCluster(n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None) as cluster:
        place = cluster.scheduler_address.partition("://")[2]
        for name, options in (("one process", ("--jobs=1",)), ("Dask, two workers", (f"--executor=dask://{place}",))):
            report = scratch / "report.txt"
            cost = Cost([*OURS, "--no-cache", *options, f"--output-file={report}", str(tree)], environment, scratch)
            said.append(report.read_text())
            yield f"| {name} | {cost.cpu:.1f} | {cost.wall:.1f} | {said[-1].count(chr(10))} |"
    yield f"The findings and their order are {'the same' if said[0] == said[1] else 'DIFFERENT'}."


def main() -> None:
    """Get the corpora, measure, and print one table each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpora", nargs="*", default=list(CORPORA), metavar="CORPUS", help=", ".join(CORPORA))
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent / ".corpora", help="where the corpora lie")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--slow", action="store_true", help="run flake8-async, Fixit and pylint, too")
    parser.add_argument("--shares", action="store_true", help="count the lines that are parsed instead")
    parser.add_argument("--growth", action="store_true", help="measure each corpus 1, 2, 4 and 8 times over instead")
    parser.add_argument("--dask", action="store_true", help="let a Dask cluster look at all corpora at once instead")
    options = parser.parse_args()
    folder = options.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    corpora = {name: fetch(name, folder) for name in options.corpora}
    if options.shares:
        print(
            "| corpus, rules | lines | to ast | drafted | to LibCST | files looked at |\n|---|---|---|---|---|---|",
            flush=True,
        )
    for name, corpus in corpora.items() if not options.dask else ():
        with tempfile.TemporaryDirectory() as scratch:
            if options.shares:
                print(shares(name, corpus, Path(scratch)), flush=True)
            elif options.growth:
                for line in growth(corpus, Path(scratch)):
                    print(line, flush=True)
            else:
                print(table(name, corpus, measure(corpus, options.rounds, options.slow, Path(scratch))), flush=True)
    if options.dask:
        with tempfile.TemporaryDirectory() as scratch:
            for line in on_a_cluster(list(corpora.values()), Path(scratch)):
                print(line, flush=True)


if __name__ == "__main__":
    main()
