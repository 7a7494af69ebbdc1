"""What the rows on mounted applications claim: each form of slash, tried with the real libraries."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]

from libraries import run  # noqa: E402

MOUNTS = ("fastapi>=0.120,<0.200", "httpx>=0.28,<0.29", "strawberry-graphql[fastapi]>=0.341", "litestar>=2.25,<3")
SANIC = ("sanic>=25.12,<26", "sanic-testing>=24.6,<25")
GRADIO = ("gradio>=6.31,<7", "requests>=2.32")

ASK = """
import json, logging, warnings
warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)

def answers(app):
    with TestClient(app) as client:
        here = str(client.base_url).rstrip("/")
        asked = {path: client.get(here + path, follow_redirects=True).status_code for path in ("/x", "//x", "/px")}
    return [path for path, status in asked.items() if status != 404]

for path in ("x", "/x", "//x", "/x/"):
    try:
        print(json.dumps([path, answers(make(path))]))
    except (AssertionError, ValueError) as error:
        print(json.dumps([path, str(error)]))
"""
FAST = "from fastapi import FastAPI\nfrom starlette.testclient import TestClient\n"
SCHEMA = """
import strawberry
from strawberry.fastapi import GraphQLRouter
@strawberry.type
class Query:
    a: int = 1
schema = strawberry.Schema(Query)
def make(path):
    app = FastAPI()
    app.include_router(ROUTER)
    return app
"""
PANEL = """
import gradio as gr
def make(path):
    with gr.Blocks() as demo:
        gr.Textbox()
    return gr.mount_gradio_app(FastAPI(), demo, path=path)
"""
LITE = """
from litestar import Litestar, get
from litestar.testing import TestClient
def make(path):
    @get(path)
    async def answer() -> str:
        return "x"
    return Litestar([answer])
"""
LITE_PREFIX = """
from litestar import Litestar, Router, get
from litestar.testing import TestClient
def make(path):
    @get("/")
    async def answer() -> str:
        return "x"
    return Litestar([Router(path, route_handlers=[answer])])
"""
RAISES = "Routed paths must start with '/'"
PREFIX = "A path prefix must start with '/'"
AT_END = "A path prefix must not end with '/', as the routes will start with '/'"
ORDERED = {"x": ["/x", "//x"], "/x": ["/x", "//x"], "//x": ["/x", "//x"], "/x/": ["/x", "//x"]}
CLAIMS = {
    "gradio": (FAST + PANEL, GRADIO, {"x": RAISES, "/x": ["/x"], "//x": ["//x"], "/x/": ["/x"]}),
    "strawberry path": (
        FAST + SCHEMA.replace("ROUTER", "GraphQLRouter(schema, path=path)"),
        MOUNTS,
        {"x": [], "/x": ["/x"], "//x": ["//x"], "/x/": ["/x"]},
    ),
    "strawberry below a prefix": (
        FAST + SCHEMA.replace("ROUTER", "GraphQLRouter(schema, path=path), prefix='/p'"),
        MOUNTS,
        {"x": ["/px"], "/x": [], "//x": [], "/x/": []},
    ),
    "strawberry prefix": (
        FAST + SCHEMA.replace("ROUTER", "GraphQLRouter(schema, prefix=path)"),
        MOUNTS,
        {"x": PREFIX, "/x": ["/x"], "//x": ["//x"], "/x/": AT_END},
    ),
    "litestar": (LITE, MOUNTS, ORDERED),
    "litestar prefix": (LITE_PREFIX, MOUNTS, ORDERED),
}


@pytest.mark.parametrize("name", CLAIMS)
def test_what_a_slash_does(name: str) -> None:
    program, requirements, expected = CLAIMS[name]
    done = run(program + ASK, *requirements, env={"GRADIO_ANALYTICS_ENABLED": "False"}, seconds=180)
    seen = dict(json.loads(line) for line in done.stdout.splitlines() if line.startswith("["))
    assert seen == expected, done.stderr


SANIC_FORMS = """
import asyncio, json
from sanic import Blueprint, Sanic, text

async def answer(request):
    return text("x")

async def matches(app, asked):
    return (await app.asgi_client.get(f"http://h{asked}"))[1].status_code == 200

for number, path in enumerate(("x", "/x", "//x", "/x/")):
    app = Sanic(f"a{number}")
    app.add_route(answer, path)
    shop = Blueprint(f"b{number}", url_prefix=f"{path}y")
    shop.add_route(answer, "/z")
    app.blueprint(shop)
    below = "/x/y/z" if path.endswith("/") else "/xy/z"
    print(json.dumps([path, asyncio.run(matches(app, "/x")), asyncio.run(matches(app, below))]))
"""


def test_sanic_brings_paths_into_order() -> None:
    done = run(SANIC_FORMS, *SANIC)
    seen = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]
    assert seen == [[path, True, True] for path in ("x", "/x", "//x", "/x/")], done.stderr
