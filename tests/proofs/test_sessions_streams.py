"""Every way in which a stream is mended, run with the real libraries: broken before, whole and closed after."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]

from evidence import found, project  # noqa: E402
from libraries import run  # noqa: E402
from test_sessions import EARLY, NOW, SERVER  # noqa: E402

from pitfall_lint.finding import Finding  # noqa: E402
from pitfall_lint.fixing import splice  # noqa: E402
from pitfall_lint.source import Source  # noqa: E402

HEAD = """
import contextlib

import httpx
from fastapi import Depends, FastAPI
from fastapi.responses import StreamingResponse
from starlette.background import BackgroundTask

app = FastAPI()
"""
ASK = """
import asyncio
made = []
first = httpx.AsyncClient.__init__
def init(self, *args, **kwargs):
    made.append(self)
    first(self, *args, **kwargs)
httpx.AsyncClient.__init__ = init

async def main():
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://app") as caller:
        made.clear()
        answer = await caller.get("/relay", params={"url": URL})
        print("LENGTH", len(answer.content))
        print("ALL CLOSED" if all(one.is_closed for one in made) else "LEFT OPEN")
asyncio.run(main())
"""
READ = """
import asyncio
async def main():
    stream = await relay(URL)
    print("LENGTH", sum([len(chunk) async for chunk in stream]))
asyncio.run(main())
"""
LINES = """
import tempfile
with tempfile.NamedTemporaryFile("w", suffix=".csv", delete=False) as file:
    file.write("a,b\\n" * 60000)
print("LENGTH", sum(len(one) * 2 for one in relay(file.name)))
"""
UNREAD = """
import asyncio
async def main():
    print("LENGTH", len(await (await relay(URL)).read()))
asyncio.run(main())
"""

SHAPES = {
    "finally": (
        HEAD
        + """
@app.get("/relay")
async def relay(url: str):
    client = httpx.AsyncClient()
    try:
        upstream = await client.send(client.build_request("GET", url), stream=True)
        return StreamingResponse(upstream.aiter_raw(), status_code=upstream.status_code)
    finally:
        await client.aclose()
""",
        ASK,
        2,
    ),
    "two blocks": (
        HEAD
        + """
@app.get("/relay")
async def relay(url: str):
    async with httpx.AsyncClient() as client:
        async with client.stream("GET", url) as upstream:
            return StreamingResponse(upstream.aiter_bytes(), status_code=upstream.status_code)
""",
        ASK,
        1,
    ),
    "block in finally": (
        HEAD
        + """
@app.get("/relay")
async def relay(url: str):
    client = httpx.AsyncClient()
    try:
        async with client.stream("GET", url) as upstream:
            return StreamingResponse(upstream.aiter_bytes())
    finally:
        await client.aclose()
""",
        ASK,
        1,
    ),
    "behind the block": (
        HEAD
        + """
@app.get("/relay")
async def relay(url: str):
    async with httpx.AsyncClient() as client:
        upstream = await client.send(client.build_request("GET", url), stream=True)
    response = StreamingResponse(upstream.aiter_raw())
    return response
""",
        ASK,
        1,
    ),
    "defined in the block": (
        HEAD
        + """
@app.get("/relay")
async def relay(url: str):
    async with httpx.AsyncClient() as client:

        async def body():
            async with client.stream("GET", url) as upstream:
                async for chunk in upstream.aiter_bytes():
                    yield chunk

        return StreamingResponse(body())
""",
        ASK,
        2,
    ),
    "closed on the way": (
        HEAD
        + """
@app.get("/relay")
async def relay(url: str):
    client = httpx.AsyncClient()
    upstream = await client.send(client.build_request("GET", url), stream=True)
    await client.aclose()
    return StreamingResponse(upstream.aiter_raw())
""",
        ASK,
        1,
    ),
    "background task": (
        HEAD
        + """
@app.get("/relay")
async def relay(url: str):
    client = httpx.AsyncClient()
    try:
        upstream = await client.send(client.build_request("GET", url), stream=True)
        return StreamingResponse(upstream.aiter_raw(), background=BackgroundTask(client.aclose))
    finally:
        await client.aclose()
""",
        ASK,
        1,
    ),
    "plain generator": (
        HEAD
        + """
async def relay(url: str):
    async with httpx.AsyncClient() as client:
        upstream = await client.send(client.build_request("GET", url), stream=True)
        return upstream.aiter_raw()
""",
        READ,
        1,
    ),
    "lines of a file": (
        """
def relay(path):
    with open(path) as stream:
        return (line.strip()[:2] for line in stream)
""",
        LINES,
        2,
    ),
    "a plain iterator": (
        """
import csv

def relay(path):
    with open(path) as stream:
        rows = csv.reader(stream)
    return rows
""",
        LINES,
        2,
    ),
    "not awaited": (
        """
import aiohttp

async def relay(url):
    async with aiohttp.ClientSession() as session:
        answer = await session.get(url)
        return answer
""",
        UNREAD,
        1,
    ),
}
DEPENDENCY = """
async def get_client():
    async with httpx.AsyncClient() as client:
        yield client
"""
LATE = {
    "in the generator": (
        HEAD
        + DEPENDENCY
        + """
@app.get("/relay")
async def relay(url: str, client: httpx.AsyncClient = Depends(get_client)):
    async def body():
        async with client.stream("GET", url) as upstream:
            async for chunk in upstream.aiter_bytes():
                yield chunk

    return StreamingResponse(body())
""",
        EARLY,
        {"fastapi": "0.110.0"},
    ),
    "scope": (
        HEAD
        + DEPENDENCY
        + """
async def body(client, url):
    async with client.stream("GET", url) as upstream:
        async for chunk in upstream.aiter_bytes():
            yield chunk

@app.get("/relay")
async def relay(url: str, client: httpx.AsyncClient = Depends(get_client, scope="function")):
    return StreamingResponse(body(client, url))
""",
        NOW,
        {},
    ),
}


def said(program: str, *requirements: str) -> str:
    done = run(SERVER + program, *requirements)
    return done.stdout + done.stderr


def mended(program: str, code: str, versions: dict[str, str]) -> list[str]:
    """Return the program with each of the fixes of its one finding."""
    source = Source("program.py", program.encode())
    findings: list[Finding] = found(source, code, project(versions=versions))
    assert len(findings) == 1, findings
    texts = []
    for fix in findings[0].fixes:
        after = splice(source, fix.edits)
        assert not found(after, code, project(versions=versions)), after.data.decode()
        texts.append(after.data.decode())
    return texts


@pytest.mark.parametrize("name", SHAPES)
def test_streams(name: str) -> None:
    program, tail, count = SHAPES[name]
    bad = said(program + tail, *NOW)
    assert "LENGTH 240000" not in bad, bad
    texts = mended(program, "PIT402", {})
    assert len(texts) == count
    for text in texts:
        good = said(text + tail, *NOW)
        assert re.search(r"LENGTH 240000", good), text + good
        assert "LEFT OPEN" not in good, text + good


@pytest.mark.parametrize("name", LATE)
def test_dependencies(name: str) -> None:
    program, requirements, versions = LATE[name]
    bad = said(program + ASK, *requirements)
    assert "LENGTH 240000" not in bad, bad
    texts = mended(program, "PIT403", versions)
    assert texts
    for text in texts:
        good = said(text + ASK, *requirements)
        assert "LENGTH 240000\nALL CLOSED" in good, text + good


def test_an_error_before_the_first_byte_keeps_its_status() -> None:
    """What stands before the stream stays outside of the generator, and closes on its way out."""
    program = SHAPES["two blocks"][0].replace("url) as up", "'http://127.0.0.1:1/') as up")
    (text,) = mended(program, "PIT402", {})
    ask = ASK.replace("ASGITransport(app)", "ASGITransport(app, raise_app_exceptions=False)")
    ask = ask.replace('print("LENGTH"', 'print("STATUS", answer.status_code, "LENGTH"')
    good = said(text + ask, *NOW)
    assert "STATUS 500" in good
    assert "ALL CLOSED" in good
