"""Closer looks elsewhere: the findings and their order are those of one process, and a dead worker takes nothing along."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from pitfall_lint import catalog, config, linter, parcel, run, sending, workers

HELPER = "import asyncio\n\n\ndef fire(work):\n    return asyncio.create_task(work)\n"
USER = "from pkg.deep.helper import fire\n\n\nasync def go(work):\n    fire(work.run())\n"
ALONE = "import asyncio\n\n\nasync def alone(work):\n    asyncio.create_task(work.run())\n"
MINE = "from mine import spawn\n\n\nasync def own(work):\n    spawn(work.run())\n"
SILENT = ALONE.replace("work.run())", "work.run())  # noqa: PIT301")
FILES = {
    "pkg/__init__.py": "",
    "pkg/deep/__init__.py": "",
    "pkg/deep/helper.py": HELPER,
    "pkg/user.py": USER,
    "pkg/alone.py": ALONE,
    "pkg/silent.py": SILENT,
    "pkg/ignored.py": ALONE,
    "pkg/mine_user.py": MINE,
    "pkg/broken.py": "import asyncio\n\n\nasync def f(work, :\n    asyncio.create_task(work.run())\n",
    "rows.toml": '[[spawn]]\ncall = "mine.spawn"\n',
    "pyproject.toml": '[tool.pitfall-lint]\nlibraries = ["rows.toml"]\nper-file-ignores = { "pkg/ignored.py" = ["ALL"] }\n',
    **{f"more/m{number:03}.py": ALONE if number % 3 else f"x = {number}\n" for number in range(30)},
}


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    top = tmp_path / "tree"
    for name, text in FILES.items():
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_text(text)
    monkeypatch.chdir(top)
    monkeypatch.setenv("PITFALL_LINT_NO_CACHE", "1")
    return top


def said(tree: Path, executor: Executor | None = None, jobs: int = 1) -> list[Any]:
    paths = sorted(str(path.relative_to(tree)) for path in tree.rglob("*.py"))
    linter_ = run.Linter(catalog.load(), config.Resolver(), run.Task())
    report = run.lint_paths(paths, linter_, jobs=jobs, executor=executor)
    assert report.checked == len(paths)
    return [(file.path, file.failure, file.findings, file.source and file.source.data) for file in report.files]


@pytest.fixture
def alone(tree: Path, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    with monkeypatch.context() as patch:
        patch.setattr(run, "MANY", 0)
        patch.setattr(run, "can_fork", lambda: False)
        found = said(tree)
    assert len(found) == 24
    assert any(finding.path == os.path.join("pkg", "user.py") for file in found for finding in file[2])
    return found


class Elsewhere(Executor):
    """Opens parcels where the tree does not exist, in another folder, after they were pickled."""

    def __init__(self, tree: Path) -> None:
        self.tree, self.parcels = tree, 0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.parcels += 1
        sent, future = pickle.dumps((fn, args)), Future[Any]()
        hidden = self.tree.with_name("hidden")
        self.tree.rename(hidden)
        os.chdir("/")
        try:
            function, (what,) = pickle.loads(sent)
            future.set_result(pickle.loads(pickle.dumps(function(what))))
        except Exception as error:
            future.set_exception(error)
        finally:
            hidden.rename(self.tree)
            os.chdir(self.tree)
        return future


@pytest.mark.parametrize("beside", [0, 1_000_000])
def test_a_parcel_holds_what_has_to_be_known(
    tree: Path, alone: list[Any], beside: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With nothing sent beside the files what is missing is asked for."""
    monkeypatch.setattr(sending, "_BESIDE", beside)
    monkeypatch.setattr(sending, "_LINES", 300)
    monkeypatch.setattr(sending, "Workers", None)  # nothing is left to be done here
    executor = Elsewhere(tree)
    assert said(tree, executor) == alone
    assert executor.parcels > 3


def test_threads_and_spawned_processes(tree: Path, alone: list[Any]) -> None:
    with ThreadPoolExecutor(2) as threads:
        assert said(tree, threads) == alone
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as processes:
        assert said(tree, processes) == alone


def test_another_version_is_refused(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "__version__", "0.0.1")
    with pytest.raises(run.Unfit, match=r"a worker runs pitfall-lint .*, and this is 0\.0\.1"):
        said(tree, Elsewhere(tree))


def deadly(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Kill whoever looks at a file of this name."""
    check, here = linter.Linter.check, os.getpid()

    def kills(self: linter.Linter, source: Any, *args: Any, **kwargs: Any) -> Any:
        if source.path.endswith(name):
            assert os.getpid() != here, "the run itself would have died"
            os.kill(os.getpid(), signal.SIGKILL)
        return check(self, source, *args, **kwargs)

    monkeypatch.setattr(linter.Linter, "check", kills)


@pytest.mark.skipif(not workers.can_fork(), reason="needs fork")
@pytest.mark.parametrize("hires", [False, True], ids=["workers", "executor"])
def test_the_file_that_kills_is_told_and_the_rest_goes_on(
    tree: Path, alone: list[Any], hires: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    deadly(monkeypatch, "m010.py")
    monkeypatch.setattr(run, "MANY", 0)
    monkeypatch.setattr(run, "_BATCH", 10_000)  # one batch, which the worker does
    if hires:
        with ProcessPoolExecutor(2, multiprocessing.get_context("fork")) as executor:
            found = said(tree, executor)
    else:
        found = said(tree, jobs=2)
    dead = [file for file in found if file[1]]
    assert [(Path(file[0]).name, file[1]) for file in dead] == [("m010.py", "the worker process died of SIGKILL")]
    assert [file for file in found if not file[1]] == [file for file in alone if not file[0].endswith("m010.py")]


@pytest.fixture
def spawns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Behave as on a system that cannot fork."""
    monkeypatch.setattr(run, "MANY", 0)
    monkeypatch.setattr(run, "_BATCH", 300)
    monkeypatch.setattr(run, "can_fork", lambda: False)
    started = workers._Spawned.__init__

    def counted(self: Any, *args: Any) -> None:
        SPAWNED.append(1)
        started(self, *args)

    SPAWNED.clear()
    monkeypatch.setattr(workers._Spawned, "__init__", counted)


SPAWNED: list[int] = []


@pytest.mark.usefixtures("spawns")
def test_spawned_workers_say_the_same(tree: Path, alone: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    assert said(tree, jobs=3) == alone
    assert not SPAWNED, "so little does not pay"
    monkeypatch.setattr(run, "_SPAWNED", 100)
    (tree / "libcst.py").write_text("raise SystemExit('the linted tree was imported')\n")
    (tree / "signal.py").write_text("raise SystemExit('the linted tree was imported')\n")
    assert said(tree, jobs=3) == alone
    assert len(SPAWNED) == 2


def test_a_spawned_worker_that_dies() -> None:
    with workers.Workers(2, nothing, dies_at_three, spawn=True) as pool:
        answers = dict(pool.run(list(range(8)), dies_at_three, helps=False))
        assert pool.count == 2
    assert str(answers.pop(3)) == "the worker process ended with code 3"
    assert answers == {n: n * 2 for n in range(8) if n != 3}


def test_workers_that_never_live_are_done_without() -> None:
    with workers.Workers(2, dies_at_once, twice, spawn=True) as pool:
        assert dict(pool.run([1, 2], twice, helps=False)) == {0: 2, 1: 4}


def nothing() -> None:
    pass


def dies_at_once() -> None:
    os._exit(1)


def twice(job: int) -> int:
    return job * 2


def dies_at_three(job: int) -> int:
    if job == 3:
        os._exit(3)
    return job * 2


def command(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "pitfall_lint", "--output-format=concise", *arguments]
    return subprocess.run(line, cwd=tree, capture_output=True, text=True, timeout=120)


@pytest.fixture
def scheduler() -> Iterator[str]:
    """The address of a Dask cluster of two workers on this machine, which know nothing of the tree."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None, silence_logs=50
    ) as cluster:
        yield cluster.scheduler_address.partition("://")[2]


def test_a_dask_cluster_says_the_same(tree: Path, scheduler: str) -> None:
    here, there = command(tree), command(tree, "--executor", f"dask://{scheduler}", "--timing=json")
    assert there.stdout == here.stdout
    assert there.returncode == here.returncode == 1
    assert '"processes": 1' not in there.stderr, "the cluster did it"


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("ray://x", "'ray://x' must be dask://HOST:PORT"),
        ("dask://127.0.0.1:1", "no Dask scheduler answers at 127.0.0.1:1"),
    ],
)
def test_an_executor_that_is_not_there(
    tree: Path, address: str, message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from pitfall_lint import cli
    from pitfall_lint.cli import hiring

    if address.startswith("dask"):
        pytest.importorskip("distributed")
    monkeypatch.setattr(hiring, "_PATIENCE", 1)
    assert cli.run(["--executor", address]) == 2
    assert message in capsys.readouterr().err


def test_the_extra_is_missing(tree: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from pitfall_lint import cli

    monkeypatch.setitem(sys.modules, "distributed", None)
    assert cli.run(["--executor", "dask://127.0.0.1:8786"]) == 2
    assert "pip install 'pitfall-lint[dask]'" in capsys.readouterr().err


def test_a_parcel_is_data(tree: Path) -> None:
    """Nothing in it has a name outside of this program and plain types."""
    seen: set[str] = set()

    class Listening(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> Any:
            seen.add(module.partition(".")[0])
            return super().find_class(module, name)

    class Keeping(Elsewhere):
        def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
            import io
            import zlib

            (what,) = args
            assert isinstance(what, parcel.Parcel)
            for data in (pickle.dumps(what), *map(zlib.decompress, (what.texts, what.exist, what.rows))):
                Listening(io.BytesIO(data)).load()
            return super().submit(fn, *args, **kwargs)

    said(tree, Keeping(tree))
    assert seen <= {"pitfall_lint", "builtins", "pathlib", "packaging"}


@pytest.mark.skipif(not workers.can_fork(), reason="needs fork")
@pytest.mark.parametrize("spawn", [False, True], ids=["forked", "spawned"])
def test_ctrl_c_leaves_nothing_behind(tree: Path, spawn: bool) -> None:
    code = (
        "import sys, time\n"
        "from pitfall_lint import cli, linter, run, workers\n"
        "run.MANY, run._SPAWNED = 0, 0\n"
        f"run.can_fork = lambda: {not spawn}\n"
        "start = workers.Workers._start\n"
        "def told(self):\n    start(self)\n    print('started', flush=True)\n"
        "workers.Workers._start = told\n"
        "linter.Linter.check_batch = lambda self, jobs: time.sleep(60)\n"
        "sys.exit(cli.run(['--quiet', '--no-cache', '--jobs=3']))\n"
    )
    line = [sys.executable, "-c", code]
    process = subprocess.Popen(
        line, cwd=tree, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout is not None
    assert [process.stdout.readline() for _ in range(2)] == ["started\n"] * 2
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors.strip()) == (130, "error: interrupted")
    for _ in range(100):  # one that was interrupted while it started sees soon that nobody feeds it
        try:
            os.killpg(process.pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    pytest.fail("a worker lives on")
