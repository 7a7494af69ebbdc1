"""From a log to the rule and the line: the founding reports, further ones as facts, and errors that are not ours."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from pitfall_lint.config import Resolver
from pitfall_lint.diagnose import Answer, Diagnosis, diagnose, masked
from pitfall_lint.diagnose.prefixes import lines_of
from pitfall_lint.diagnose.reading import read_log
from pitfall_lint.finding import Related

TESTS = Path(__file__).parent
SEEDS = TESTS / "fixtures" / "seeds"


def read(log: str, root: Path) -> Diagnosis:
    return diagnose(log, str(root), Resolver({}, isolated=True))


def line_of(answer: Answer) -> str:
    assert answer.finding is not None
    assert answer.source is not None
    return answer.source.line_text(answer.source.position(answer.finding.span.start)[0])


def text_of(place: Related) -> str:
    return Path(place.path).read_text("utf-8").splitlines()[place.line - 1]


# The five founding reports


@dataclass(frozen=True)
class Report:
    """What a user pasted, the code that it is about, and what must be answered first."""

    name: str
    log: str
    code: str
    line: str
    """What stands on the line."""
    files: tuple[tuple[str, str], ...] = ()


FOUNDING = [
    Report(
        "proxied_ui",
        """
Visit http://ip:port for the board
Running on local URL:  http://0.0.0.0:7860
Traceback (most recent call last):
  File "/opt/conda/lib/python3.11/site-packages/httpx/_transports/default.py", line 101, in map_httpcore_exceptions
    yield
  File "/opt/conda/lib/python3.11/site-packages/httpcore/_sync/http11.py", line 231, in _receive_event
    raise RemoteProtocolError(msg)
httpcore.RemoteProtocolError: Server disconnected without sending a response.

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/opt/conda/bin/board", line 8, in <module>
    sys.exit(main())
  File "/opt/conda/lib/python3.11/site-packages/board/cli.py", line 98, in main
    run_web_ui()
  File "/opt/board/interface.py", line 24, in run_web_ui
    create_ui().queue().launch(server_name=server_name, inbrowser=True)
  File "/opt/conda/lib/python3.11/site-packages/gradio/blocks.py", line 2601, in launch
    httpx.get(f"{self.local_api_url}startup-events", verify=ssl_verify, timeout=None)
  File "/opt/conda/lib/python3.11/site-packages/httpx/_api.py", line 210, in get
    return request(
httpx.RemoteProtocolError: Server disconnected without sending a response.
""",
        "PIT502",
        ".launch(",
    ),
    Report(
        "root_path",
        """
INFO:     Uvicorn running on http://0.0.0.0:8000 (Press CTRL+C to quit)
INFO:     10.0.0.3:40312 - "GET /portal/project/settings HTTP/1.1" 200 OK
INFO:     ('10.0.0.3', 40322) - "WebSocket /portal/ws/socket.io/?EIO=4&transport=websocket" 403
INFO:     connection rejected (403 Forbidden)
INFO:     connection closed
INFO:     ('10.0.0.3', 40326) - "WebSocket /portal/ws/socket.io/?EIO=4&transport=websocket" 403
INFO:     connection rejected (403 Forbidden)
INFO:     connection closed
""",
        "PIT103",
        "events_location",
    ),
    Report(
        "stream_session",
        """
INFO:     127.0.0.1:50712 - "POST /v1/chat/completions HTTP/1.1" 200 OK
ERROR:    Exception in ASGI application
  + Exception Group Traceback (most recent call last):
  |   File "/usr/local/lib/python3.12/site-packages/starlette/_utils.py", line 76, in collapse_excgroups
  |     yield
  |   File "/usr/local/lib/python3.12/site-packages/starlette/responses.py", line 262, in __call__
  |     async with anyio.create_task_group() as task_group:
  | ExceptionGroup: unhandled errors in a TaskGroup (1 sub-exception)
  +-+---------------- 1 ----------------
    | Traceback (most recent call last):
    |   File "/usr/local/lib/python3.12/site-packages/uvicorn/protocols/http/h11_impl.py", line 403, in run_asgi
    |     result = await app(
    |   File "/usr/local/lib/python3.12/site-packages/starlette/responses.py", line 246, in stream_response
    |     async for chunk in self.body_iterator:
    |   File "/app/service.py", line 9, in lines_of
    |     async for line in response.aiter_lines():
    |   File "/usr/local/lib/python3.12/site-packages/curl_cffi/requests/models.py", line 210, in aiter_lines
    |   File "/usr/local/lib/python3.12/site-packages/curl_cffi/requests/session.py", line 580, in check
    | curl_cffi.requests.exceptions.SessionClosed: Session is closed, cannot send request.
    +------------------------------------
""",
        "PIT402",
        "StreamingResponse(",
    ),
    Report(
        "lost_tasks",
        """
2024-08-13 09:12:44 - HTTP Request: POST https://api.example.com/v1/chat/completions "HTTP/1.1 200 OK"
2024-08-13 09:12:45 - Task exception was never retrieved
future: <Task finished name='Task-117' coro=<DataLayer.create_step() done, defined at /home/app/.venv/lib/python3.11/site-packages/portal/data.py:7> exception=ForeignKeyViolationError('insert or update on table "steps" violates foreign key constraint')>
Traceback (most recent call last):
  File "/home/app/.venv/lib/python3.11/site-packages/portal/data.py", line 9, in create_step
    await self.connection.execute("INSERT INTO steps VALUES ($1, $2)", step["id"], step["text"])
  File "/home/app/.venv/lib/python3.11/site-packages/asyncpg/connection.py", line 350, in execute
    _, status, _ = await self._execute(
asyncpg.exceptions.ForeignKeyViolationError: insert or update on table "steps" violates foreign key constraint
DETAIL:  Key (threadId)=(8d1c) is not present in table "threads".
""",
        "PIT303",
        "create_task(layer.create_step(",
    ),
    Report(
        "thread_ui",
        """
Running on local URL:  http://127.0.0.1:7861
Traceback (most recent call last):
  File "C:\\Users\\u\\panel\\venv\\Lib\\site-packages\\gradio\\queueing.py", line 625, in process_events
    response = await route_utils.call_process_api(
               ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  File "C:\\Users\\u\\panel\\venv\\Lib\\site-packages\\gradio\\route_utils.py", line 322, in call_process_api
    output = await app.get_blocks().process_api(
  File "C:\\Users\\u\\panel\\venv\\Lib\\site-packages\\gradio\\blocks.py", line 2088, in process_api
    async with self.lock:
TypeError: 'NoneType' object does not support the asynchronous context manager protocol
""",
        "PIT201",
        "gr.Blocks(",
    ),
]


@pytest.mark.parametrize("report", FOUNDING, ids=[report.name for report in FOUNDING])
def test_founding_reports(report: Report) -> None:
    found = read(report.log, SEEDS / report.name)
    assert found.errors, found
    best = found.errors[0].answers[0]
    assert best.rule.code == report.code
    assert best.finding is not None
    assert report.line in "\n".join([line_of(best), *map(text_of, best.finding.related)])
    assert best.certainty in ("sure", "likely")


# Further reports, as facts: the shape of the code and of the log, no more

FURTHER = [
    Report(
        "a coroutine is not awaited",
        """
/app/bot/commands.py:9: RuntimeWarning: coroutine 'Store.save' was never awaited
  self.store.save(name)
RuntimeWarning: Enable tracemalloc to get the object allocation traceback
""",
        "PIT302",
        "self.store.save(name)",
        (
            ("bot/__init__.py", ""),
            ("bot/store.py", "class Store:\n    async def save(self, name):\n        print(name)\n"),
            (
                "bot/commands.py",
                "from bot.store import Store\n\n\nclass Commands:\n    def __init__(self):\n"
                "        self.store = Store()\n\n    async def add(self, name):\n        self.store.save(name)\n",
            ),
        ),
    ),
    Report(
        "get_event_loop in a worker thread, gunicorn's prefix",
        """
[2025-02-03 10:11:12 +0000] [31] [ERROR] Exception in thread Thread-3 (work):
[2025-02-03 10:11:12 +0000] [31] [ERROR] Traceback (most recent call last):
[2025-02-03 10:11:12 +0000] [31] [ERROR]   File "/usr/lib/python3.10/threading.py", line 1016, in _bootstrap_inner
[2025-02-03 10:11:12 +0000] [31] [ERROR]     self.run()
[2025-02-03 10:11:12 +0000] [31] [ERROR]   File "/srv/worker.py", line 6, in work
[2025-02-03 10:11:12 +0000] [31] [ERROR]     loop = asyncio.get_event_loop()
[2025-02-03 10:11:12 +0000] [31] [ERROR] RuntimeError: There is no current event loop in thread 'Thread-3 (work)'.
""",
        "PIT202",
        "get_event_loop()",
        (
            (
                "worker.py",
                "import asyncio\nimport threading\n\n\ndef work():\n    loop = asyncio.get_event_loop()\n"
                "    loop.run_until_complete(asyncio.sleep(1))\n\n\n"
                "def start():\n    threading.Thread(target=work).start()\n",
            ),
        ),
    ),
    Report(
        "asyncio.run in a running loop, JSON lines",
        json.dumps(
            {
                "time": "2025-05-01T10:00:00Z",
                "level": "ERROR",
                "message": "handler failed",
                "exc_info": "Traceback (most recent call last):\n"
                '  File "/code/api/handlers.py", line 9, in handle\n    return asyncio.run(load())\n'
                '  File "/usr/lib/python3.12/asyncio/runners.py", line 190, in run\n    raise RuntimeError(\n'
                "RuntimeError: asyncio.run() cannot be called from a running event loop",
            }
        )
        + "\n",
        "PIT203",
        "asyncio.run(load())",
        (
            (
                "api/handlers.py",
                "import asyncio\n\n\nasync def load():\n    return 1\n\n\nasync def handle():\n    return asyncio.run(load())\n",
            ),
        ),
    ),
    Report(
        "a signal handler in a thread, journald's prefix",
        """
Mar 04 08:00:01 host svc[411]: Exception in thread Thread-1 (serve):
Mar 04 08:00:01 host svc[411]: Traceback (most recent call last):
Mar 04 08:00:01 host svc[411]:   File "/opt/svc/svc.py", line 10, in serve
Mar 04 08:00:01 host svc[411]:     signal.signal(signal.SIGTERM, stop)
Mar 04 08:00:01 host svc[411]:   File "/usr/lib/python3.11/signal.py", line 56, in signal
Mar 04 08:00:01 host svc[411]: ValueError: signal only works in main thread of the main interpreter
""",
        "PIT205",
        "signal.signal(",
        (
            (
                "svc.py",
                "import signal\nimport threading\n\n\ndef stop(*args):\n    print('stop')\n\n\n"
                "def serve():\n    signal.signal(signal.SIGTERM, stop)\n\n\n"
                "def start():\n    threading.Thread(target=serve).start()\n",
            ),
        ),
    ),
    Report(
        "a mounted path without its slash, colours",
        "\x1b[31mTraceback (most recent call last):\x1b[0m\n"
        '  File \x1b[35m"/workspace/shop/app.py"\x1b[0m, line \x1b[35m6\x1b[0m, in \x1b[35m<module>\x1b[0m\n'
        "    app.mount(\x1b[1;31m'static'\x1b[0m, files)\n"
        '  File "/usr/lib/python3.13/site-packages/starlette/routing.py", line 400, in __init__\n'
        "\x1b[1;35mAssertionError\x1b[0m: \x1b[35mRouted paths must start with '/'\x1b[0m\n",
        "PIT101",
        'app.mount("static"',
        (
            (
                "shop/app.py",
                "from fastapi import FastAPI\nfrom fastapi.staticfiles import StaticFiles\n\napp = FastAPI()\n"
                'files = StaticFiles(directory="static")\napp.mount("static", files)\n',
            ),
        ),
    ),
    Report(
        "a prefix with a slash too many, GitHub Actions' time stamps",
        """
2025-01-01T00:00:00.1234567Z Traceback (most recent call last):
2025-01-01T00:00:00.1234567Z   File "/home/runner/work/x/x/src/x/routes.py", line 3, in <module>
2025-01-01T00:00:00.1234567Z     router = APIRouter(prefix="/items/")
2025-01-01T00:00:00.1234567Z   File "/opt/hostedtoolcache/Python/3.12/x64/lib/python3.12/site-packages/fastapi/routing.py", line 700, in __init__
2025-01-01T00:00:00.1234567Z AssertionError: A path prefix must not end with '/', as the routes will start with '/'
""",
        "PIT102",
        'prefix="/items/"',
        (("src/x/routes.py", 'from fastapi import APIRouter\n\nrouter = APIRouter(prefix="/items/")\n'),),
    ),
    Report(
        "a client used behind its with, docker compose's prefix",
        """
api-1     | INFO:     Started server process [1]
api-1     | ERROR:    Exception in ASGI application
api-1     | Traceback (most recent call last):
api-1     |   File "/app/weather/client.py", line 7, in fetch
api-1     |     return await client.get("https://example.org/2")
api-1     |   File "/usr/local/lib/python3.12/site-packages/httpx/_client.py", line 1629, in send
api-1     |     raise RuntimeError("Cannot send a request, as the client has been closed.")
api-1     | RuntimeError: Cannot send a request, as the client has been closed.
worker-1  | ready
""",
        "PIT401",
        "example.org/2",
        (
            (
                "weather/client.py",
                "import httpx\n\n\nasync def fetch():\n    async with httpx.AsyncClient() as client:\n"
                '        await client.get("https://example.org/1")\n    return await client.get("https://example.org/2")\n',
            ),
        ),
    ),
    Report(
        "a close that nobody awaits",
        """
/app/crawl.py:7: RuntimeWarning: coroutine 'ClientSession.close' was never awaited
  session.close()
Unclosed client session
client_session: <aiohttp.client.ClientSession object at 0x7f1c2c3d4e50>
""",
        "PIT404",
        "session.close()",
        (
            (
                "crawl.py",
                "import aiohttp\n\n\nasync def crawl(url):\n    session = aiohttp.ClientSession()\n"
                "    await session.get(url)\n    session.close()\n",
            ),
        ),
    ),
    Report(
        "a method that is awaited without being called, Kubernetes' prefix",
        """
2025-06-01T12:00:00.000000000Z stderr F Traceback (most recent call last):
2025-06-01T12:00:00.000000000Z stderr F   File "/app/pool.py", line 6, in shutdown
2025-06-01T12:00:00.000000000Z stderr F     await client.aclose
2025-06-01T12:00:00.000000000Z stderr F TypeError: object method can't be used in 'await' expression
""",
        "PIT309",
        "await client.aclose",
        (
            (
                "pool.py",
                "import httpx\n\n\nasync def shutdown():\n    client = httpx.AsyncClient()\n    await client.aclose\n",
            ),
        ),
    ),
    Report(
        "a health check through the proxy",
        """
Traceback (most recent call last):
  File "/usr/lib/python3/dist-packages/urllib3/connectionpool.py", line 790, in urlopen
    self._prepare_proxy(conn)
urllib3.exceptions.ProxyError: ('Unable to connect to proxy', RemoteDisconnected('Remote end closed connection without response'))

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/srv/tts/launcher.py", line 8, in wait
    if requests.get(f"http://127.0.0.1:{port}/health").ok:
  File "/usr/lib/python3/dist-packages/requests/adapters.py", line 694, in send
    raise ProxyError(e, request=request)
requests.exceptions.ProxyError: HTTPConnectionPool(host='127.0.0.1', port=9880): Max retries exceeded with url: /health
""",
        "PIT501",
        "/health",
        (
            (
                "tts/launcher.py",
                "import time\n\nimport requests\n\n\ndef wait(port):\n    while True:\n"
                '        if requests.get(f"http://127.0.0.1:{port}/health").ok:\n            return\n        time.sleep(1)\n',
            ),
        ),
    ),
    Report(
        "a proxy variable that is not set",
        """
Traceback (most recent call last):
  File "D:\\tools\\download.py", line 5, in direct
    del os.environ["http_proxy"]
  File "C:\\Python311\\Lib\\os.py", line 699, in __delitem__
    raise KeyError(key) from None
KeyError: 'http_proxy'
""",
        "PIT505",
        'del os.environ["http_proxy"]',
        (
            (
                "download.py",
                'import os\n\n\ndef direct():\n    del os.environ["http_proxy"]\n    os.environ.pop("HTTP_PROXY", None)\n',
            ),
        ),
    ),
    Report(
        "a parameter that launch does not have",
        """
Traceback (most recent call last):
  File "/content/ui.py", line 4, in <module>
    demo.launch(http_proxy="")
TypeError: Blocks.launch() got an unexpected keyword argument 'http_proxy'
""",
        "PIT506",
        'http_proxy=""',
        (
            (
                "ui.py",
                'import gradio as gr\n\ndemo = gr.Interface(fn=str, inputs="text", outputs="text")\ndemo.launch(http_proxy="")\n',
            ),
        ),
    ),
    Report(
        "localhost that is not accessible",
        """
Traceback (most recent call last):
  File "/home/u/sd/webui.py", line 7, in <module>
    build().launch()
  File "/home/u/sd/venv/lib/python3.10/site-packages/gradio/blocks.py", line 1899, in launch
    raise ValueError(
ValueError: When localhost is not accessible, a shareable link must be created. Please set share=True or check your proxy settings to allow access to localhost.
""",
        "PIT502",
        "build().launch()",
        (
            (
                "webui.py",
                'import gradio as gr\n\ndef build():\n    return gr.Interface(fn=str, inputs="text", outputs="text")\n\n\nbuild().launch()\n',
            ),
        ),
    ),
    Report(
        "a future that nobody reads",
        """
ERROR:asyncio:_GatheringFuture exception was never retrieved
future: <_GatheringFuture finished exception=ConnectionResetError('reset')>
Traceback (most recent call last):
  File "/app/fanout.py", line 5, in send_one
    raise ConnectionResetError("reset")
ConnectionResetError: reset
""",
        "PIT305",
        "asyncio.gather(",
        (
            (
                "fanout.py",
                'import asyncio\n\n\nasync def send_one(peer):\n    raise ConnectionResetError("reset")\n\n\n'
                "async def send(peers):\n    asyncio.gather(*(send_one(peer) for peer in peers))\n",
            ),
        ),
    ),
    Report(
        "a callback that breaks on cancel",
        """
Exception in callback done(<Task cancelled name='Task-2' coro=<work() done, defined at /app/jobs.py:8>>) at /app/jobs.py:4
handle: <Handle done(<Task cancelled name='Task-2' coro=<work() done>>) at /app/jobs.py:4>
Traceback (most recent call last):
  File "/usr/lib/python3.11/asyncio/events.py", line 80, in _run
    self._context.run(self._callback, *self._args)
  File "/app/jobs.py", line 5, in done
    if task.exception():
asyncio.exceptions.CancelledError
""",
        "PIT304",
        "task.exception()",
        (
            (
                "jobs.py",
                "import asyncio\n\n\ndef done(task):\n    if task.exception():\n        print('failed')\n\n\n"
                "async def work():\n    await asyncio.sleep(9)\n\n\nasync def start():\n    task = asyncio.create_task(work())\n"
                "    task.add_done_callback(done)\n    return task\n",
            ),
        ),
    ),
    Report(
        "a lost task in a group of errors",
        """
asyncio - ERROR - Task exception was never retrieved
future: <Task finished name='Task-9' coro=<Hub.refresh() done, defined at /config/hub.py:8> exception=ExceptionGroup('unhandled errors in a TaskGroup', [TimeoutError()])>
  + Exception Group Traceback (most recent call last):
  |   File "/config/hub.py", line 9, in refresh
  |     async with asyncio.TaskGroup() as group:
  | ExceptionGroup: unhandled errors in a TaskGroup (1 sub-exception)
  +-+---------------- 1 ----------------
    | Traceback (most recent call last):
    |   File "/config/hub.py", line 13, in poll
    |     raise TimeoutError
    | TimeoutError
    +------------------------------------
""",
        "PIT301",
        "asyncio.create_task(self.refresh())",
        (
            (
                "hub.py",
                "import asyncio\n\n\nclass Hub:\n    def start(self):\n        asyncio.create_task(self.refresh())\n\n"
                "    async def refresh(self):\n        async with asyncio.TaskGroup() as group:\n"
                "            group.create_task(self.poll())\n\n    async def poll(self):\n        raise TimeoutError\n",
            ),
        ),
    ),
    Report(
        "a coroutine function given to a thread",
        """
/usr/lib/python3.12/threading.py:1012: RuntimeWarning: coroutine 'listen' was never awaited
  self._target(*self._args, **self._kwargs)
RuntimeWarning: Enable tracemalloc to get the object allocation traceback
""",
        "PIT208",
        "target=listen",
        (
            (
                "radio.py",
                "import threading\n\n\nasync def listen():\n    print('listening')\n\n\n"
                "def start():\n    threading.Thread(target=listen).start()\n",
            ),
        ),
    ),
    Report(
        "a task that another thread makes",
        """
Traceback (most recent call last):
  File "/usr/lib/python3.11/asyncio/base_events.py", line 800, in _check_thread
    raise RuntimeError(
RuntimeError: Non-thread-safe operation invoked on an event loop other than the current one
""",
        "PIT204",
        "loop.call_soon(",
        (
            (
                "bridge.py",
                "import asyncio\nimport threading\n\n\ndef pump(loop: asyncio.AbstractEventLoop):\n    loop.call_soon(print, 1)\n\n\n"
                "async def main():\n    loop = asyncio.get_running_loop()\n"
                "    threading.Thread(target=pump, args=(loop,)).start()\n    await asyncio.sleep(1)\n",
            ),
        ),
    ),
]


def lay_out(root: Path, files: tuple[tuple[str, str], ...]) -> Path:
    for name, text in files:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return root


@pytest.mark.parametrize("report", FURTHER, ids=[report.name for report in FURTHER])
def test_further_reports(report: Report, tmp_path: Path) -> None:
    found = read(report.log, lay_out(tmp_path, report.files))
    assert found.errors, found
    answers = [(a.rule.code, a.certainty, a.why) for error in found.errors for a in error.answers]
    best = found.errors[0].answers[0]
    assert best.rule.code == report.code, answers
    assert report.line in line_of(best), answers


UNRELATED = {
    "a key": "Traceback (most recent call last):\n  File \"/app/a.py\", line 2, in f\n    x['a']\nKeyError: 'a'\n",
    "a module": 'Traceback (most recent call last):\n  File "/app/a.py", line 1, in <module>\n    import nope\n'
    "ModuleNotFoundError: No module named 'nope'\n",
    "a name to import": "ImportError: cannot import name 'x' from 'y' (/app/y.py)\n",
    "memory": 'Traceback (most recent call last):\n  File "/app/a.py", line 2, in f\n'
    "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB\n",
    "killed": "worker-1  | [1] Killed python train.py\nkernel: Out of memory: Killed process 4711 (python)\n",
    "a file": "Traceback (most recent call last):\n  File \"/app/a.py\", line 2, in f\n    open('x.txt')\n"
    "FileNotFoundError: [Errno 2] No such file or directory: 'x.txt'\n",
    "a refused connection": 'Traceback (most recent call last):\n  File "/app/a.py", line 2, in f\n'
    "ConnectionRefusedError: [Errno 111] Connection refused\n",
    "a type": 'Traceback (most recent call last):\n  File "/app/a.py", line 2, in f\n'
    "TypeError: unsupported operand type(s) for +: 'int' and 'str'\n",
    "a database": 'psycopg2.errors.UndefinedTable: relation "users" does not exist\nLINE 1: SELECT * FROM users\n',
    "a value": "pydantic_core._pydantic_core.ValidationError: 1 validation error for User\nname\n  Field required\n",
    "an assertion": "E   AssertionError: assert 1 == 2\nFAILED tests/test_a.py::test_f - AssertionError\n",
    "an address in use": "OSError: [Errno 98] Address already in use\n",
    "no error at all": "INFO:     Started server process [1]\nINFO:     Application startup complete.\n",
    "nothing": "",
}


@pytest.mark.parametrize("name", UNRELATED)
def test_unrelated(name: str, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("import asyncio\n\n\ndef f(x):\n    return x['a']\n", "utf-8")
    assert read(UNRELATED[name], tmp_path).errors == ()


def test_several_errors_in_one_log(tmp_path: Path) -> None:
    log = FURTHER[1].log + "\nall quiet\n\n" + UNRELATED["a key"] + "\n" + FURTHER[4].log + FURTHER[4].log
    found = read(log, lay_out(tmp_path, (*FURTHER[1].files, *FURTHER[4].files)))
    assert [error.answers[0].rule.code for error in found.errors] == ["PIT202", "PIT101"]
    assert [error.count for error in found.errors] == [1, 2]
    assert found.others == ("KeyError: 'a'",)


def test_without_the_code_the_environment_is_named(tmp_path: Path) -> None:
    found = read("httpx.RemoteProtocolError: Server disconnected without sending a response.\n", tmp_path)
    best = found.errors[0].answers[0]
    assert best.certainty == "not in the code"
    assert "NO_PROXY" in best.advice


@pytest.mark.parametrize(
    ("secret", "text"),
    [
        ("hunter2", "postgres://bob:hunter2@db.example.org/x refused"),
        ("abcdef123456", "Authorization: Bearer abcdef123456"),
        ("s3cr3t", "connect(password='s3cr3t', host='db')"),
        ("s3cr3t", '{"api_key": "s3cr3t"}'),
        ("sk-abcdefgh12345678", "Incorrect API key provided: sk-abcdefgh12345678"),
        ("ghp_0123456789abcdefghij", "remote: ghp_0123456789abcdefghij rejected"),
        ("eyJhbGciOiJI.eyJzdWIiOiIx.abc", "bad token eyJhbGciOiJI.eyJzdWIiOiIx.abc"),
        ("0123456789abcdef0123456789abcdef", "session 0123456789abcdef0123456789abcdef is gone"),
        ("xyz", "GET /cb?token=xyz&state=1"),
        ("hun@ter2", "redis://:hun@ter2@cache:6379/0 refused"),
        ("c2VjcmV0OnBhc3M=", "Authorization: Basic c2VjcmV0OnBhc3M="),
        ("abc123", "Cookie: sessionid=abc123; theme=dark"),
        ("def456", "Set-Cookie: theme=dark; sid=def456; Path=/"),
        ("AKIAIOSFODNN7EXAMPLE", "InvalidAccessKeyId: AKIAIOSFODNN7EXAMPLE"),
        ("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "sign('eu', 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY')"),
        ("wJalrXUtnFEMI", "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        ("zzz9", "X-Api-Key: zzz9"),
        ("zzz9", r"{\"token\": \"zzz9\", \"x\": 1}"),
        ("zzz9", "headers [(b'authorization', b'Bearer zzz9')]"),
        ("p4ss", "mysql -uroot --password p4ss db"),
        ("123456789:ABCdefGhIJKlmNoPQRst", "https://api.example.org/bot123456789:ABCdefGhIJKlmNoPQRst/getUpdates"),
        ("MIIEvQ", "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\n-----END PRIVATE KEY-----"),
        ("s3cr3t", "the passphrase is s3cr3t"),
        ("sig9", "AccountKey=sig9==;EndpointSuffix=example.org"),
    ],
)
def test_secrets_are_masked(secret: str, text: str) -> None:
    assert secret not in masked(text)
    assert "***" in masked(text)


@pytest.mark.parametrize(
    "text",
    [
        "httpx.RemoteProtocolError: Server disconnected without sending a response.",
        "RuntimeError: There is no current event loop in thread 'ThreadPoolExecutor-0_0'.",
        "requests.exceptions.ProxyError: HTTPConnectionPool(host='127.0.0.1', port=9880): Max retries exceeded",
        'File "/usr/local/lib/python3.12/site-packages/starlette/responses.py", line 246, in stream_response',
        "ValueError: max_tokens=100 is more than tokenizer=<Tokenizer> takes",
        "KeyError: 'token'",
        "RuntimeError: password required",
        "AttributeError: 'Session' object has no attribute 'auth'",
        "author: x",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert masked(text) == text


def test_no_secret_of_the_log_is_echoed(tmp_path: Path) -> None:
    log = (
        FOUNDING[3]
        .log.replace("DETAIL:", "postgres://bob:hunter2@db token=abc123456\nDETAIL:")
        .replace("violates foreign", "password='hunter2' violates foreign")
        .replace("self.connection.execute(", "execute(password='hunter2', ")
    )
    (tmp_path / "log.txt").write_text(log + "RuntimeError: Session is closed password=hunter2\n", "utf-8")
    for output_format in ("text", "json", "github"):
        done = cli(
            "diagnose",
            str(tmp_path / "log.txt"),
            "--root",
            str(SEEDS / "lost_tasks"),
            "--output-format",
            output_format,
        )
        assert "PIT303" in done.stdout
        assert "hunter2" not in done.stdout + done.stderr


def cli(*arguments: str, stdin: str = "", cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pitfall_lint", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        cwd=cwd,
    )


def test_command(tmp_path: Path) -> None:
    report = FURTHER[6]
    lay_out(tmp_path, report.files)
    done = cli("diagnose", "--isolated", stdin=report.log, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "PIT401" in done.stdout
    assert "weather/client.py:7" in done.stdout.replace("\\", "/")
    data = json.loads(cli("diagnose", "--isolated", "--output-format", "json", stdin=report.log, cwd=tmp_path).stdout)
    assert data["errors"][0]["answers"][0]["location"]["row"] == 7
    github = cli("diagnose", "--isolated", "--output-format", "github", stdin=report.log, cwd=tmp_path).stdout
    assert github.startswith("::error file=weather/client.py,line=7,")


def test_command_mends(tmp_path: Path) -> None:
    report = FURTHER[4]
    lay_out(tmp_path, report.files)
    done = cli("diagnose", "--isolated", "--fix", stdin=report.log, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert 'app.mount("/static", files)' in (tmp_path / "shop/app.py").read_text("utf-8")


@pytest.mark.parametrize("stdin", ["", "KeyError: 'x'\n", "\0\0\0", "{" * 5000, "Traceback (most recent call last):\n"])
def test_command_with_nothing_to_say(stdin: str, tmp_path: Path) -> None:
    done = cli("diagnose", stdin=stdin, cwd=tmp_path)
    assert done.returncode == 1
    assert "none of ours" in done.stdout
    assert "Traceback" not in done.stderr


def test_command_with_a_missing_file(tmp_path: Path) -> None:
    done = cli("diagnose", "nowhere.log", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == "error: nowhere.log: No such file or directory\n"


def test_windows_text(tmp_path: Path) -> None:
    lay_out(tmp_path, FURTHER[10].files)
    (tmp_path / "log.txt").write_bytes(FURTHER[10].log.replace("\n", "\r\n").encode("utf-16"))
    done = cli("diagnose", "log.txt", "--isolated", cwd=tmp_path)
    assert "PIT505" in done.stdout


def test_a_line_of_json_inside_of_json() -> None:
    inner = json.dumps({"message": "a\nb", "level": "error"})
    assert list(lines_of(json.dumps({"log": inner, "stream": "stderr"}))) == ["a", "b"]


def test_frames_of_other_formats() -> None:
    log = (
        "app/x.py:12: in fetch\n    get()\nE   RuntimeError: boom\n"
        "╭──────── Traceback (most recent call last) ────────╮\n│ /srv/y.py:7 in go                  │\n"
        "╰───────────────────────────────────────────────────╯\nValueError: bad\n"
    )
    events = read_log(log, lambda line: "RuntimeError" in line)
    assert [frame.path for event in events for frame in event.frames][-1:] == ["/srv/y.py"]


def test_a_large_log_is_read_quickly() -> None:
    log = "2025-01-01 10:00:00,000 INFO request /items/1 took 3 ms\n" * 20_000 + UNRELATED["a key"]
    assert len(read_log(log, lambda line: False)) == 1


def test_explain_names_the_rules_of_a_library(tmp_path: Path) -> None:
    told = cli("explain", "httpx", cwd=tmp_path)
    assert told.returncode == 0, told.stderr
    assert "PIT401 use-after-close" in told.stdout
    assert "PIT101" not in told.stdout
    data = json.loads(cli("explain", "httpx", "--json", cwd=tmp_path).stdout)
    assert "PIT501" in {rule["code"] for rule in data}
    assert cli("explain", "no-such-library", cwd=tmp_path).returncode == 2


def test_the_line_that_is_told_is_the_one_that_a_rule_knows(tmp_path: Path) -> None:
    log = "ERROR (MainThread) [core] Error doing job: Future exception was never retrieved\n" + FURTHER[0].log
    found = read(log, lay_out(tmp_path, FURTHER[0].files))
    assert found.errors[-1].title.endswith("RuntimeWarning: coroutine 'Store.save' was never awaited")
