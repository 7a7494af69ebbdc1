"""What the pages on tasks claim, run with the real asyncio: Bad shows the symptom, Fixed does not."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]

from evidence import rules  # noqa: E402
from libraries import run  # noqa: E402

LOST = "exception was never retrieved"


def page(name: str, section: str) -> str:
    """Return a program of a page."""
    return rules()[name].page.programs(section)[0]


def said(program: str, driver: str, *requirements: str) -> str:
    """Run a program with a driver behind it and return all that both said."""
    whole = f"{program}\n\nimport gc, os\n{textwrap.dedent(driver)}"
    if requirements:
        done = run(whole, *requirements, seconds=60)
    else:
        done = subprocess.run([sys.executable, "-c", whole], capture_output=True, text=True, timeout=30)
    return done.stdout + done.stderr


BROKEN_STORE = """
    class Store:
        async def write(self, record):
            raise ValueError("disk full")

        async def update(self, message):
            raise ValueError("disk full")

    async def main():
        await {call}
        await asyncio.sleep(0.05)
        gc.collect()

    asyncio.run(main())
"""


def test_lost_task_exception() -> None:
    driver = BROKEN_STORE.format(call='handle("record", Store())')
    assert f"Task {LOST}" in said(page("lost-task-exception", "Bad"), driver)
    fixed = said(page("lost-task-exception", "Fixed"), driver)
    assert LOST not in fixed
    assert "Background task failed" in fixed
    assert "disk full" in fixed


@pytest.mark.parametrize(
    "keep",
    [
        "tasks.add(task); task.add_done_callback(tasks.discard)",
        "task.add_done_callback(lambda t: print(t.done(), t.cancelled()))",
    ],
    ids=["kept in a set", "a callback that does not ask"],
)
def test_what_does_not_read_the_exception(keep: str) -> None:
    assert f"Task {LOST}" in said(starting(keep), STARTED)


def test_cancelling_a_failed_task_silences_even_the_log_line() -> None:
    assert said(starting("asyncio.get_running_loop().call_later(0.01, task.cancel)"), STARTED) == ""


def starting(keep: str) -> str:
    """Return a program that starts a task which fails, and does something with it."""
    return f"""
import asyncio

tasks = set()


async def work():
    raise ValueError("disk full")


def start():
    task = asyncio.create_task(work())
    {keep}
"""


STARTED = """
    async def main():
        start()
        await asyncio.sleep(0.05)
        gc.collect()

    asyncio.run(main())
"""


def test_try_around_spawn() -> None:
    driver = BROKEN_STORE.format(call='Messages(Store()).update("hello")')
    bad = said(page("try-around-spawn", "Bad"), driver)
    assert f"Task {LOST}" in bad
    assert "Failed to persist" not in bad
    fixed = said(page("try-around-spawn", "Fixed"), driver)
    assert LOST not in fixed
    assert "Failed to persist the message: disk full" in fixed


def test_unawaited_coroutine() -> None:
    driver = """
        import asyncio
        asyncio.run(Server().refuse("no"))
        gc.collect()
    """
    bad = said(page("unawaited-coroutine", "Bad"), driver)
    assert "coroutine 'Server.send' was never awaited" in bad
    assert "sent no" not in bad
    assert said(page("unawaited-coroutine", "Fixed"), driver) == "sent no\n"


def test_await_without_call() -> None:
    driver = "import asyncio\nasyncio.run(main())"
    assert "can't be used in 'await' expression" in said(page("await-without-call", "Bad"), driver)
    assert said(page("await-without-call", "Fixed"), driver) == "closed\n"


def test_callback_breaks_on_cancel() -> None:
    driver = """
        async def main():
            worker = Worker()
            worker.start(lambda: asyncio.sleep(10))
            await asyncio.sleep(0)
            worker.task.cancel()
            await asyncio.sleep(0.05)
            print("busy:", worker.busy)

        asyncio.run(main())
    """
    bad = said(page("callback-breaks-on-cancel", "Bad"), driver)
    assert "Exception in callback" in bad
    assert "CancelledError" in bad
    assert "busy: True" in bad
    assert said(page("callback-breaks-on-cancel", "Fixed"), driver) == "busy: False\n"


def test_lost_future() -> None:
    driver = """
        class Store:
            def renew(self, user):
                raise ValueError("no such user")

        execute(Store(), ["ann"])
    """
    assert said(page("lost-future", "Bad"), driver) == ""
    fixed = said(page("lost-future", "Fixed"), driver)
    assert "Background task failed" in fixed
    assert "no such user" in fixed


def test_dropped_gather_and_ignored_wait() -> None:
    program = """
import asyncio


async def work():
    raise ValueError("disk full")
"""
    gathered = """
        async def main():
            asyncio.gather(work(), work())
            await asyncio.sleep(0.05)
            gc.collect()

        asyncio.run(main())
    """
    waited = """
        async def main():
            await asyncio.wait([asyncio.ensure_future(work())])
            print("waited")

        asyncio.run(main())
    """
    assert LOST in said(program, gathered)
    assert "waited" in said(program, waited)


def test_weakly_held_task() -> None:
    driver = """
        async def handler():
            await asyncio.get_running_loop().create_future()

        async def main():
            Client().dispatch(handler)
            await asyncio.sleep(0)
            gc.collect()
            await asyncio.sleep(0)

        asyncio.run(main())
    """
    destroyed = "Task was destroyed but it is pending!"
    assert destroyed in said(page("weakly-held-task", "Bad"), driver)
    assert destroyed not in said(page("weakly-held-task", "Fixed"), driver)


def test_swallowed_cancellation() -> None:
    driver = """
        class Source:
            async def read(self):
                await asyncio.sleep(0.2)

        async def main():
            task = asyncio.create_task(poll(Source()))
            await asyncio.sleep(0.05)
            task.cancel()
            done, _ = await asyncio.wait({task}, timeout=0.5)
            print("stopped" if done else "still running", flush=True)
            os._exit(0)

        asyncio.run(main())
    """
    assert "still running" in said(page("swallowed-cancellation", "Bad"), driver)
    assert "stopped" in said(page("swallowed-cancellation", "Fixed"), driver)


def test_task_outlives_owner() -> None:
    driver = """
        class Source:
            async def read(self):
                await asyncio.sleep(0.01)

            async def close(self):
                pass

        async def main():
            poller = Poller(Source())
            await poller.start()
            await asyncio.sleep(0.02)
            await poller.stop()
            print("done:", poller._task.done())

        asyncio.run(main())
    """
    assert said(page("task-outlives-owner", "Bad"), driver) == "done: False\n"
    assert said(page("task-outlives-owner", "Fixed"), driver) == "done: True\n"


def test_retries_everything() -> None:
    driver = """
        attempts = 0

        def broken(url):
            global attempts
            attempts += 1
            if attempts == 50:
                raise SystemExit("still at it")
            raise TypeError("a mistake in the program")

        httpx.get = broken
        try:
            fetch("http://localhost")
        except TypeError as error:
            print("gave up:", error)
    """
    libraries = ("tenacity>=9,<10", "httpx>=0.28,<0.29")
    assert "still at it" in said(page("retries-everything", "Bad"), driver, *libraries)
    assert "gave up" in said(page("retries-everything", "Fixed"), driver, *libraries)


def test_a_count_that_begins_anew_never_ends() -> None:
    program = """
import asyncio

calls = 0


async def resume(server, attempt=0):
    if attempt >= 3:
        return "gave up"
    try:
        await server()
        return await resume(server, {again})
    except OSError:
        return await resume(server, attempt + 1)


async def ends_without_an_answer():
    global calls
    calls += 1
    if calls == 100:
        raise SystemExit("still at it")
"""
    driver = "print(asyncio.run(resume(ends_without_an_answer)))"
    assert "still at it" in said(program.replace("{again}", "0"), driver)
    assert said(program.replace("{again}", "attempt + 1"), driver) == "gave up\n"


def test_what_a_dropped_task_fills_is_missing_at_the_end() -> None:
    program = """
import asyncio


class Recorder:
    def __init__(self):
        self.entries = {}
        self.tasks = set()

    def on_finished(self, key):
        task = asyncio.create_task(self.fetch(key))
        {keep}

    async def fetch(self, key):
        await asyncio.sleep(0.01)
        self.entries[key] = "body"

    async def stop(self):
        {wait}
        print(self.entries)
"""
    driver = """
        async def main():
            recorder = Recorder()
            recorder.on_finished("page")
            await recorder.stop()

        asyncio.run(main())
    """
    bad = program.replace("{keep}", "del task").replace("{wait}", "pass")
    good = program.replace("{keep}", "self.tasks.add(task)").replace("{wait}", "await asyncio.gather(*self.tasks)")
    assert said(bad, driver) == "{}\n"
    assert said(good, driver) == "{'page': 'body'}\n"


def test_what_a_library_gives_is_a_coroutine_as_well() -> None:
    program = """
import asyncio
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine


async def store(session: AsyncSession):
    await session.execute(text("insert into names values ('ann')"))
    {commit}


async def main():
    engine = create_async_engine("sqlite+aiosqlite:///" + sys.argv[1])
    async with engine.begin() as connection:
        await connection.execute(text("create table names (name text)"))
    async with AsyncSession(engine) as session:
        await store(session)
    async with engine.connect() as connection:
        print((await connection.execute(text("select count(*) from names"))).scalar())
    await engine.dispose()
"""
    driver = """
        import tempfile, sys
        with tempfile.TemporaryDirectory() as folder:
            sys.argv = ["", folder + "/names.db"]
            asyncio.run(main())
    """
    libraries = ("sqlalchemy[asyncio]>=2,<3", "aiosqlite>=0.20,<1")
    dropped = said(program.replace("{commit}", "session.commit()"), driver, *libraries)
    assert "coroutine 'AsyncSession.commit' was never awaited" in dropped
    assert dropped.startswith("0\n")
    awaited = said(program.replace("{commit}", "await session.commit()"), driver, *libraries)
    assert awaited.startswith("1\n")
    assert "never awaited" not in awaited


def test_the_other_ways_out() -> None:
    work = "import asyncio\n\n\nasync def work():\n    raise ValueError('disk full')\n\n\nasync def main():\n"
    awaited = f"{work}    await work()\n"
    grouped = f"{work}    async with asyncio.TaskGroup() as group:\n        group.create_task(work())\n"
    for program in (awaited, grouped) if sys.version_info >= (3, 11) else (awaited,):
        told = said(program, "asyncio.run(main())")
        assert "ValueError: disk full" in told
        assert LOST not in told
