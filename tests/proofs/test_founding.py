"""The five founding bugs, run with the real libraries: each fails as it stands, and runs once its fixes are made."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]

from evidence import FIXTURES  # noqa: E402
from libraries import run  # noqa: E402

GRADIO_BAD = ("gradio==5.34.0", "fastapi<0.120", "starlette<1", "pydantic<2.12", "huggingface_hub<1", "requests")
GRADIO_NOW = ("gradio>=6.31,<7", "requests>=2.32")
STREAM = ("fastapi>=0.120,<0.200", "httpx>=0.28,<0.29", "curl_cffi>=0.16,<0.17")
SOCKET = ("fastapi>=0.120,<0.200", "httpx>=0.28,<0.29", "python-socketio>=5.18,<6")


def seed(name: str, folder: Path, *options: str) -> Path:
    """Return a copy of a seed, mended by the command line if options say so."""
    copy = folder / "-".join((name, *(option.strip("-") for option in options)))
    shutil.copytree(FIXTURES / "seeds" / name, copy)
    if options:
        command = [sys.executable, "-m", "pitfall_lint", *options, "--no-cache", str(copy)]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode in (0, 1), done.stderr
    return copy


def said(folder: Path, program: str, *requirements: str, **options: object) -> str:
    """Run a program beside a copy of a seed and return all that it said."""
    start = f"import sys\nsys.path.insert(0, {str(folder)!r})\n"
    if requirements:
        done = run(start + program, *requirements, **options)  # type: ignore[arg-type]
    else:
        done = subprocess.run([sys.executable, "-c", start + program], capture_output=True, text=True, timeout=60)
    return done.stdout + done.stderr


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as made:
        return int(made.getsockname()[1])


@pytest.fixture
def proxy() -> Iterator[str]:
    """The URL of a proxy that hangs up on every request."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def hang_up() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(65536)

        threading.Thread(target=hang_up, daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


STORE_REFUSES = """
import asyncio, logging
logging.basicConfig(level=logging.INFO)
import data, message

class Connection:
    async def execute(self, *args):
        raise ConnectionError("store is down")

class Emitter:
    async def send_step(self, step): ...
    update_step = delete_step = send_step

data._layer = data.DataLayer(Connection())

async def main():
    shown = message.Message("1", "hello", Emitter())
    for what in (shown.send, shown.update, shown.remove):
        await what()
    await asyncio.sleep(0.1)

asyncio.run(main())
"""


def test_lost_tasks(tmp_path: Path) -> None:
    """The handlers that never ran do, and the task that nobody watched is logged."""
    bad = said(seed("lost_tasks", tmp_path), STORE_REFUSES)
    assert bad.count("Task exception was never retrieved") == 3
    assert "Failed to persist" not in bad
    good = said(seed("lost_tasks", tmp_path, "--fix", "--unsafe-fixes"), STORE_REFUSES)
    assert "never retrieved" not in good
    assert "Failed to persist message creation: store is down" in good
    assert "Failed to persist message update: store is down" in good
    assert "Background task failed" in good


CONNECT = """
import os
from starlette.testclient import TestClient
from server import app
upgrade = {"upgrade": "websocket"}  # the test client leaves it out
root = os.environ.get("PORTAL_ROOT_PATH", "")
with TestClient(app) as client:
    print("PAGE", client.get(f"{root}/health").status_code)
    try:
        with client.websocket_connect(f"{root}/ws/socket.io/?EIO=4&transport=websocket", headers=upgrade) as websocket:
            print("OPENED", websocket.receive_text()[:6])
    except Exception as error:
        print("REFUSED", type(error).__name__)
"""


def test_root_path(tmp_path: Path) -> None:
    """The websocket is refused below a prefix only; mended it opens with and without one."""
    below = {"PORTAL_ROOT_PATH": "/portal"}
    bad, good = seed("root_path", tmp_path), seed("root_path", tmp_path, "--fix", "--unsafe-fixes")
    assert re.search("PAGE 200\nREFUSED", said(bad, CONNECT, *SOCKET, env=below))
    assert re.search('PAGE 200\nOPENED 0{"sid', said(bad, CONNECT, *SOCKET))
    for env in (below, {}):
        assert re.search('PAGE 200\nOPENED 0{"sid', said(good, CONNECT, *SOCKET, env=env))


ANSWER = """
import asyncio, http.server, json, threading, time

class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        body = b"data: hello\\n" * 20000 if asked.get("stream") else b'{"said": "hello"}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        for start in range(0, len(body), 12000):
            self.wfile.write(body[start : start + 12000])
            time.sleep(0.02)

    def log_message(self, *args):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
threading.Thread(target=server.serve_forever, daemon=True).start()

from curl_cffi.requests import AsyncSession
post, close, closed = AsyncSession.post, AsyncSession.close, []

async def post_here(self, url, **options):
    here = f"http://127.0.0.1:{server.server_address[1]}"
    return await AsyncSession.request(self, "POST", url.replace("https://api.example.com", here), **options)

async def close_once(self):
    closed.append(self)
    await close(self)

AsyncSession.post, AsyncSession.close = post_here, close_once

import httpx
from app import app

async def main():
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://app", timeout=20) as caller:
        for asked in ({"stream": True}, {}):
            closed.clear()
            answer = await caller.post("/v1/chat/completions", json=asked)
            print(answer.status_code, "LENGTH", len(answer.content), "CLOSED", len(closed))

asyncio.run(main())
"""


def test_stream_session(tmp_path: Path) -> None:
    """The stream ends after its first piece, with status 200; mended it is whole, and the session closed once."""
    bad = said(seed("stream_session", tmp_path), ANSWER, *STREAM)
    assert "LENGTH 120000" not in bad, bad
    assert "200 LENGTH 16 CLOSED 1" in bad
    good = said(seed("stream_session", tmp_path, "--fix", "--unsafe-fixes"), ANSWER, *STREAM)
    assert "200 LENGTH 120000 CLOSED 1" in good, good
    assert "200 LENGTH 16 CLOSED 1" in good, good


LAUNCH = """
import os, threading, time, urllib.request, webbrowser
webbrowser.open = lambda *args, **options: True
direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))

def look():
    import gradio as gr
    launch, done = gr.Blocks.launch, []
    for _ in range(240):
        time.sleep(0.5)
        try:
            page = direct.open("http://127.0.0.1:PORT/config", timeout=5).status
        except OSError:
            continue
        time.sleep(3)  # the launch asks for its own address once the server is up
        print("SERVES", page, "NO_PROXY", os.environ.get("NO_PROXY"), flush=True)
        os._exit(0)

threading.Thread(target=look, daemon=True).start()
import interface
try:
    interface.run_web_ui()
except Exception as error:
    print("FAILED", type(error).__name__, error, flush=True)
    os._exit(1)
"""


def test_proxied_ui(tmp_path: Path, proxy: str) -> None:
    """The launch asks the proxy for its own address and fails; mended it serves, and the user's exceptions stay."""
    port = str(free_port())
    env = {"HTTP_PROXY": proxy, "NO_PROXY": "intranet.example.com", "GRADIO_SERVER_PORT": port}
    env |= {"GRADIO_ANALYTICS_ENABLED": "False"}
    program = LAUNCH.replace("PORT", port)
    bad = said(seed("proxied_ui", tmp_path), program, *GRADIO_NOW, env=env, seconds=180)
    assert "FAILED RemoteProtocolError Server disconnected without sending a response" in bad
    good = said(seed("proxied_ui", tmp_path, "--fix", "--unsafe-fixes"), program, *GRADIO_NOW, env=env, seconds=180)
    assert "SERVES 200 NO_PROXY intranet.example.com,localhost,127.0.0.1" in good, good


CLICK = """
import logging, os, threading, time
import gradio as gr
from gradio_client import Client

launch = gr.Blocks.launch
gr.Blocks.launch = lambda self, server_port: launch(self, server_port=PORT, prevent_thread_lock=True)
import app

worker = app.Worker()
app.Panel(worker).start()
for _ in range(120):
    time.sleep(0.5)
    try:
        client = Client("http://127.0.0.1:PORT", verbose=False)
        break
    except Exception:
        pass
try:
    print("CLICKED", client.predict(api_name="/status"), flush=True)
except Exception as error:
    print("FAILED", flush=True)
    time.sleep(3)  # the server answers before it writes down why
os._exit(0)
"""


def test_thread_ui(tmp_path: Path) -> None:
    """The first click fails in the version that the seed asks for; mended it works."""
    program = CLICK.replace("PORT", str(free_port()))
    env = {"GRADIO_ANALYTICS_ENABLED": "False"}
    bad = said(seed("thread_ui", tmp_path), program, *GRADIO_BAD, env=env, seconds=180)
    assert "FAILED" in bad, bad
    assert "'NoneType' object" in bad, bad
    good = said(seed("thread_ui", tmp_path, "--fix", "--unsafe-fixes"), program, *GRADIO_BAD, env=env, seconds=180)
    assert "CLICKED 0 jobs done" in good, good


def test_safe_fixes_alone_leave_them_as_they_are(tmp_path: Path) -> None:
    """None of the five can be mended without a look."""
    for folder in sorted(path for path in (FIXTURES / "seeds").iterdir() if path.is_dir()):
        copy = seed(folder.name, tmp_path, "--fix")
        for path in folder.rglob("*.py"):
            assert (copy / path.relative_to(folder)).read_bytes() == path.read_bytes()
