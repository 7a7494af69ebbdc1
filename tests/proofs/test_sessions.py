"""What the pages on sessions claim, run with the real libraries against a server on this machine."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]

from evidence import rules  # noqa: E402
from libraries import run  # noqa: E402

NOW = ("fastapi>=0.120,<0.200", "httpx>=0.28,<0.29", "aiohttp>=3.14,<4", "curl_cffi>=0.16,<0.17", "requests>=2.32")
EARLY = ("fastapi==0.110.0", "httpx>=0.28,<0.29")

SERVER = """
import gc, http.server, threading

class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = b"data: hello\\n" * 20000
        self.send_response(500 if "fail" in self.path else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
threading.Thread(target=server.serve_forever, daemon=True).start()
URL = f"http://127.0.0.1:{server.server_address[1]}/"
"""
KEEP = """
made = []
first = httpx.AsyncClient.__init__
def init(self, *args, **kwargs):
    made.append(self)
    first(self, *args, **kwargs)
httpx.AsyncClient.__init__ = init
import asyncio
try:
    asyncio.run(fetch(URL + "fail"))
except Exception as error:
    print(type(error).__name__)
print("LEFT OPEN" if any(not client.is_closed for client in made) else "ALL CLOSED")
"""
RELAY = """
import asyncio
async def main():
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://app") as caller:
        answer = await caller.get("/relay", params={"url": URL})
        print("LENGTH", len(answer.content))
asyncio.run(main())
"""
EVENTS = """
import httpx
with httpx.Client() as client:
    response = client.send(client.build_request("GET", URL), stream=True)
    reader = events(response)
    next(reader)
    reader.close()
    print("CLOSED" if response.is_closed else "LEFT OPEN")
"""
TWICE = """
import asyncio
async def main():
    async with aiohttp.ClientSession() as session:
        await fetch(URL, session)
        await fetch(URL, session)
asyncio.run(main())
"""
DELETED = """
import asyncio
async def main():
    global api
    api = Api()
asyncio.run(main())
del api
gc.collect()
"""
ENTERED = """
import asyncio
async def main():
    async with Api():
        pass
asyncio.run(main())
gc.collect()
"""
CASES = [
    ("unawaited-close", NOW, "import asyncio\nasyncio.run(fetch(URL))\ngc.collect()", "was never awaited"),
    ("unawaited-close", NOW, "import asyncio\nasyncio.run(fetch(URL))\ngc.collect()", "Unclosed client session"),
    ("use-after-close", NOW, "import asyncio\nasyncio.run(fetch_all([URL, URL]))", "client has been closed"),
    ("stream-outlives-session", NOW, RELAY, "StreamClosed|ReadError|closed"),
    ("dependency-closed-before-stream", EARLY, RELAY, "client has been closed"),
    ("close-skipped-on-error", NOW, KEEP, "LEFT OPEN"),
    ("session-never-closed", NOW, KEEP, "LEFT OPEN"),
    ("closes-borrowed-session", NOW, TWICE, "Session is closed"),
    ("session-without-loop", NOW, "import asyncio\nasyncio.run(fetch(URL))", "no running event loop"),
    ("close-after-loop-in-generator", NOW, EVENTS, "LEFT OPEN"),
    (
        "wrong-close-order",
        NOW,
        "import asyncio\nasync def main():\n    await Client().close()\nasyncio.run(main())",
        "NoneType",
    ),
]


def page(name: str, section: str) -> str:
    """Return a program of a page."""
    return rules()[name].page.programs(section)[0]


def said(program: str, *requirements: str) -> str:
    """Run a program to its end and return all that it said."""
    done = run(program, *requirements)
    return done.stdout + done.stderr


@pytest.mark.parametrize(("name", "requirements", "tail", "symptom"), CASES, ids=[f"{c[0]}-{c[3]}" for c in CASES])
def test_bad_fails_and_fixed_works(name: str, requirements: tuple[str, ...], tail: str, symptom: str) -> None:
    bad = said(SERVER + page(name, "Bad") + tail, *requirements)
    assert re.search(symptom, bad), bad
    fixed = said(SERVER + page(name, "Fixed") + tail, *requirements)
    assert not re.search(symptom, fixed), fixed
    if tail is RELAY:
        assert "LENGTH 240000" in fixed, fixed


def test_an_early_dependency_is_what_the_versions_say() -> None:
    """FastAPI closes it after the body from 0.118 on."""
    assert "LENGTH 240000" in said(SERVER + page("dependency-closed-before-stream", "Bad") + RELAY, *NOW)


def test_closing_in_del_fails() -> None:
    """At the end of the program there is no loop left; `__aexit__` works."""
    assert "Exception ignored in" in said(SERVER + page("async-close-in-del", "Bad") + DELETED, *NOW)
    fixed = page("async-close-in-del", "Fixed")
    assert said(SERVER + fixed + ENTERED, *NOW) == ""


AFTER_CLOSE = {
    "httpx": (
        "client = httpx.AsyncClient()\n    await client.aclose()\n    await client.get(URL)",
        "client has been closed",
    ),
    "aiohttp": (
        "client = aiohttp.ClientSession()\n    await client.close()\n    await client.get(URL)",
        "Session is closed",
    ),
    "curl_cffi": (
        "client = curl_cffi.AsyncSession()\n    await client.close()\n    await client.get(URL)",
        "Session is closed",
    ),
}


@pytest.mark.parametrize("library", AFTER_CLOSE)
def test_closed_clients_refuse(library: str) -> None:
    """What the rows say of a request after the close."""
    body, symptom = AFTER_CLOSE[library]
    program = f"{SERVER}\nimport asyncio, {library}\nasync def main():\n    {body}\nasyncio.run(main())"
    assert symptom in said(program, *NOW)


def test_requests_opens_again() -> None:
    """Which is why PIT401 says nothing of it."""
    program = "import requests\ns = requests.Session()\ns.close()\nprint(s.get(URL).status_code)"
    assert "200" in said(SERVER + program, *NOW)
