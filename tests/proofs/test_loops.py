"""What the pages on loops and threads claim, run with the real libraries."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]

from evidence import rules  # noqa: E402
from libraries import run  # noqa: E402

PLAIN = ()
WEB = ("fastapi>=0.115,<0.200", "httpx>=0.28,<0.29", "flask>=3.1,<4", "uvicorn>=0.30", "anyio>=4")
PINS = ("fastapi<0.120", "starlette<1", "pydantic<2.12", "huggingface_hub<1", "requests")


def page(name: str, section: str) -> str:
    """Return a program of a page."""
    return rules()[name].page.programs(section)[0]


def said(program: str, *requirements: str, seconds: float = 30) -> str:
    """Run a program to its end and return all that it said."""
    if requirements:
        done = run(program, *requirements, seconds=seconds)
    else:
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=seconds)
    return done.stdout + done.stderr


def hangs(program: str, seconds: float = 4) -> bool:
    """Tell whether a program is still running after a while."""
    try:
        said(program, seconds=seconds)
    except subprocess.TimeoutExpired:
        return True
    return False


FAILS = [
    ("no-loop-in-thread", PLAIN, "There is no current event loop in thread"),
    ("loop-inside-loop", PLAIN, r"asyncio.run\(\) cannot be called from a running event loop"),
    ("coroutine-function-in-thread", PLAIN, "coroutine 'work' was never awaited"),
    ("fallback-runs-twice", PLAIN, r"(?s)paying.*paying"),
]


@pytest.mark.parametrize(("name", "requirements", "symptom"), FAILS, ids=[name for name, *_ in FAILS])
def test_bad_fails_and_fixed_works(name: str, requirements: tuple[str, ...], symptom: str) -> None:
    assert re.search(symptom, said(page(name, "Bad"), *requirements))
    assert not re.search(symptom, said(page(name, "Fixed"), *requirements))
    for program in rules()[name].page.programs("Good"):
        assert "Error" not in said(program, *requirements)


def test_waits_for_own_loop() -> None:
    assert hangs(page("waits-for-own-loop", "Bad"))
    assert said(page("waits-for-own-loop", "Fixed")) == "data\n"


def test_wait_behind_is_running_hangs_too() -> None:
    program = """
        import asyncio

        async def work():
            return 1

        def bridge(coroutine):
            loop = asyncio.get_event_loop()
            if loop.is_running():
                return asyncio.run_coroutine_threadsafe(coroutine, loop).result()
            return loop.run_until_complete(coroutine)

        async def main():
            bridge(work())

        asyncio.run(main())
    """
    assert hangs(textwrap.dedent(program))


def test_call_from_foreign_thread() -> None:
    """The queue is filled, and on a loop that sleeps nobody hears of it."""
    assert hangs(page("call-from-foreign-thread", "Bad"))
    assert said(page("call-from-foreign-thread", "Fixed")) == "a line\n"


def test_debug_mode_names_the_foreign_thread() -> None:
    program = """
        import asyncio, threading

        async def main():
            loop = asyncio.get_running_loop()
            threading.Thread(target=loop.call_soon, args=(print,)).start()
            await asyncio.sleep(0.2)

        asyncio.run(main(), debug=True)
    """
    assert "Non-thread-safe operation invoked" in said(textwrap.dedent(program))


def test_blocks_the_loop() -> None:
    """A heartbeat beside the handler of the page misses its beats, or does not."""
    beats = """
async def beating():
    global beats
    while True:
        await asyncio.sleep(0.1)
        beats += 1


async def both():
    task = asyncio.ensure_future(beating())
    await handler("job")
    task.cancel()
    print("beats:", beats)


beats = 0
asyncio.run(both())
"""

    def count(section: str) -> int:
        program = page("blocks-the-loop", section).replace("asyncio.run(main())\n", beats)
        found = re.search(r"beats: (\d+)", said(program))
        assert found is not None
        return int(found[1])

    assert count("Bad") == 0
    assert count("Fixed") > 15


@pytest.mark.parametrize("call", ["get_event_loop()", "ensure_future(work())", "Future()", "gather(work())"])
def test_what_needs_a_current_loop(call: str) -> None:
    program = f"""
        import asyncio, threading

        async def work():
            pass

        def target():
            asyncio.{call}

        thread = threading.Thread(target=target)
        thread.start()
        thread.join()
    """
    text = textwrap.dedent(program)
    assert "There is no current event loop in thread" in said(text)
    with_loop = text.replace(
        f"    asyncio.{call}", f"    asyncio.set_event_loop(asyncio.new_event_loop())\n    asyncio.{call}"
    )
    assert "There is no current event loop in thread" not in said(with_loop)


def test_plain_routes_and_dependencies_run_in_a_pool() -> None:
    program = """
        import asyncio
        from fastapi import BackgroundTasks, Depends, FastAPI
        from fastapi.testclient import TestClient

        app = FastAPI()

        def ask(where):
            try:
                asyncio.get_event_loop()
                print(where, "has a loop")
            except RuntimeError as error:
                print(where, error)

        @app.get("/route")
        def route():
            ask("route")

        def dependency():
            ask("dependency")

        @app.get("/dependency")
        async def with_dependency(value=Depends(dependency)):
            ask("coroutine")

        @app.get("/task")
        async def with_task(tasks: BackgroundTasks):
            tasks.add_task(ask, "task")

        with TestClient(app) as client:
            for path in ("/route", "/dependency", "/task"):
                client.get(path)
    """
    text = said(textwrap.dedent(program), *WEB)
    for where in ("route", "dependency", "task"):
        assert f"{where} There is no current event loop in thread" in text
    assert "coroutine has a loop" in text


@pytest.mark.parametrize(
    ("start", "fails"),
    [
        ("signal.signal(signal.SIGINT, signal.default_int_handler)", True),
        ("app.run(port=0, debug=True)", True),
        ("app.run(port=0, use_reloader=True)", True),
        ("uvicorn.run('m:app', port=0, reload=True)", True),
        ("asyncio.new_event_loop().add_signal_handler(signal.SIGINT, print)", True),
        ("app.run(port=0, debug=True, use_reloader=False)", False),
        ("uvicorn.run(app, port=0, interface='wsgi')", False),
    ],
)
def test_signals_off_the_main_thread(start: str, fails: bool) -> None:
    program = f"""
        import asyncio, os, signal, threading, time
        import flask, uvicorn

        app = flask.Flask("app")

        def target():
            {start}

        thread = threading.Thread(target=target, daemon=True)
        thread.start()
        thread.join(3)
        os._exit(0)
    """
    text = said(textwrap.dedent(program), *WEB)
    assert ("only works in main thread" in text) is fails, text


def test_client_outlives_loop() -> None:
    """The second run meets connections, or a lock, of the first loop."""
    server = """
import http.server, threading

class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass

made = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
threading.Thread(target=made.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{made.server_address[1]}/"
print(fetch_all([url, url]))
"""
    assert "Event loop is closed" in said(page("client-outlives-loop", "Bad") + server, *WEB)
    assert "[200, 200]" in said(page("client-outlives-loop", "Fixed") + server, *WEB)


def test_lock_outlives_loop() -> None:
    program = """
        import asyncio

        gate = asyncio.Lock()

        async def hold():
            async with gate:
                await asyncio.sleep(0.01)

        async def both():
            await asyncio.gather(hold(), hold())

        asyncio.run(both())
        asyncio.run(both())
    """
    assert "is bound to a different event loop" in said(textwrap.dedent(program))


def test_loop_left_behind() -> None:
    """The function's loop is what the next caller of get_event_loop gets, closed."""
    after = """
import warnings
warnings.simplefilter("ignore")
try:
    lookup_sync("missing")
except KeyError:
    pass
try:
    print("current loop:", asyncio.get_event_loop())
except RuntimeError as error:
    print(error)
"""
    assert "current loop: <" in said(page("loop-left-behind", "Bad") + after)
    assert "There is no current event loop" in said(page("loop-left-behind", "Fixed") + after)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as asking:
        asking.bind(("127.0.0.1", 0))
        return int(asking.getsockname()[1])


GRADIO_CLIENT = """
import sys
import time
from gradio_client import Client
for _ in range(60):
    try:
        client = Client("http://127.0.0.1:{port}", verbose=False)
        break
    except Exception:
        time.sleep(0.5)
import logging
import threading
said = threading.Event()
class Listener(logging.Handler):
    def emit(self, record):
        said.set()
logging.getLogger("uvicorn").addHandler(Listener(logging.ERROR))
try:
    print("answer:", client.predict("you", api_name=list(client.view_api(return_format="dict")["named_endpoints"])[0]))
except Exception as error:
    print("failed:", type(error).__name__)
    said.wait(20)  # the server answers before it writes down why
    sys.stderr.flush()
sys.stdout.flush()
import os
os._exit(0)
"""


@pytest.mark.parametrize(
    ("version", "section", "works"),
    [("5.34.0", "Bad", False), ("5.34.0", "Fixed", True), ("5.34.1", "Bad", True)],
)
def test_ui_built_in_bare_thread(version: str, section: str, works: bool) -> None:
    port = free_port()
    program = page("ui-built-in-bare-thread", section)
    program = program.replace("demo.launch()", f"demo.launch(server_port={port}, prevent_thread_lock=True)")
    program = program.replace("thread.join()\n", "thread.join(30)\n" + GRADIO_CLIENT.replace("{port}", str(port)))
    text = said(program, f"gradio=={version}", *PINS, seconds=120)
    assert ("answer: Hello you" in text) is works, text
    # The lock and the stop event were both made without a loop, and so are None: which one is missed first is chance.
    missed = "'NoneType' object does not support the asynchronous context manager protocol", "has no attribute 'wait'"
    assert any(one in text for one in missed) is not works, text


def test_program_ends_after_launch() -> None:
    program = """
        import gradio as gr
        demo = gr.Interface(lambda text: text, "text", "text")
        demo.launch(prevent_thread_lock=True)
    """
    done = run(textwrap.dedent(program), "gradio==5.34.1", *PINS, seconds=120)
    assert done.returncode == 0
    assert "Error" not in done.stderr


SERVERS = {
    "mcp": ("from mcp.server.fastmcp import FastMCP\nserve = lambda: FastMCP('x').run('sse')", ("mcp>=1.20,<2",)),
    "nicegui": (
        "import os\nos.environ.pop('PYTEST_CURRENT_TEST', None)\nfrom nicegui import ui\nserve = lambda: ui.run(reload=False, show=False)",
        ("nicegui>=3",),
    ),
}


@pytest.mark.parametrize(
    ("name", "symptom"), [("mcp", "Already running asyncio"), ("nicegui", "Cannot run the event loop while another")]
)
def test_servers_in_a_coroutine(name: str, symptom: str) -> None:
    program, requirements = SERVERS[name]
    assert symptom in said(f"import asyncio\n{program}\nasync def main(): serve()\nasyncio.run(main())", *requirements)


@pytest.mark.parametrize(
    ("program", "requirements"),
    [
        ("import dash\napp = dash.Dash('x')\napp.layout = []\nserve = lambda: app.run(debug=True)", ("dash>=4",)),
        (
            "import os\nos.environ.pop('PYTEST_CURRENT_TEST', None)\nfrom nicegui import ui\nserve = lambda: ui.run(reload=True, show=False)",
            ("nicegui>=3",),
        ),
    ],
)
def test_reloading_servers_off_the_main_thread(program: str, requirements: tuple[str, ...]) -> None:
    start = "import threading\nthread = threading.Thread(target=serve)\nthread.start()\nthread.join()"
    assert "ValueError: signal only works in main thread" in said(f"{program}\n{start}", *requirements)
