"""What the pages on paths claim, run with the real libraries."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]

from evidence import rules  # noqa: E402
from libraries import run  # noqa: E402

WEB = ("fastapi>=0.115", "httpx>=0.28,<0.29", "starlette>=0.40", "python-socketio>=5.11")
FRAMEWORKS = ("flask>=3.1,<4", "aiohttp>=3.14,<4", "tornado>=6.5", "bottle>=0.13", "falcon>=4", "django>=5.2,<6")

STATUS = """
import warnings; warnings.simplefilter("ignore")
from starlette.testclient import TestClient
def status(*paths):
    client = TestClient(app, follow_redirects=False)
    print([client.get(path).status_code for path in paths])
"""


def page(name: str, section: str) -> str:
    """Return a program of a page."""
    return rules()[name].page.programs(section)[0]


def said(program: str, *requirements: str, env: dict[str, str] | None = None) -> str:
    """Run a program to its end and return all that it said."""
    done = run(program, *requirements, env=env)
    return (done.stdout + done.stderr).strip()


def test_a_route_without_a_slash_never_matches() -> None:
    asked = f'{STATUS}\nstatus("/health")'
    assert said(page("route-without-leading-slash", "Bad") + asked, *WEB) == "[404]"
    assert said(page("route-without-leading-slash", "Fixed") + asked, *WEB) == "[200]"
    good = page("route-without-leading-slash", "Good") + STATUS
    assert said(f'{good}\nstatus("/items")', *WEB) == "[200]"


def test_a_prefix_with_a_slash_at_its_end_raises() -> None:
    assert "must not end with '/'" in said(page("route-with-stray-slash", "Bad"), *WEB)
    assert said(page("route-with-stray-slash", "Fixed"), *WEB) == ""
    good = page("route-with-stray-slash", "Good") + STATUS
    assert said(f'{good}\nstatus("/users/me/")', *WEB) == "[200]"


@pytest.mark.parametrize(
    ("root", "bad", "fixed"),
    [
        ("", ["/ws"], ["/ws"]),
        ("/chainlit", ["//chainlit/ws"], ["/chainlit/ws"]),
        ("chainlit", "must start with '/'", "must start with '/'"),
        ("/chainlit/", "must not end with '/'", "must not end with '/'"),
    ],
)
def test_the_seed_with_every_root_path(root: str, bad: object, fixed: object) -> None:
    asked = "\nprint([r.path for r in app.routes if type(r).__name__ == 'Mount'])"
    for section, expected in (("Bad", bad), ("Fixed", fixed)):
        text = said(page("branches-disagree-on-slash", section) + asked, *WEB, env={"APP_ROOT_PATH": root})
        if isinstance(expected, str):
            assert expected in text
        else:
            assert json.loads(text.replace("'", '"')) == expected


FORMS = {
    "flask": (
        "import flask\na = flask.Flask('a')\na.route(path)(lambda: 'x')\nprint(a.test_client().get('/x').status_code)",
        "ValueError",
        "200",
    ),
    "aiohttp": (
        "from aiohttp import web\na = web.Application()\nasync def h(r): ...\na.router.add_get(path, h)\nprint(path)",
        "ValueError",
        "//x",
    ),
    "tornado": (
        "import tornado.web as w\na = w.Application([(path, w.RequestHandler)])\n"
        "print(bool(a.wildcard_router.rules[0].matcher.regex.match('/x')))",
        "False",
        "False",
    ),
    "bottle": (
        "import bottle\na = bottle.Bottle()\na.route(path)(lambda: 'x')\ntry:\n"
        "    print(bool(a.router.match({'PATH_INFO': '/x', 'REQUEST_METHOD': 'GET'})))\nexcept Exception: print(False)",
        "False",
        "False",
    ),
    "falcon": (
        "import falcon\na = falcon.App()\nclass R:\n    def on_get(self, q, p): ...\na.add_route(path, R())",
        "ValueError",
        "ValueError",
    ),
}


@pytest.mark.parametrize("name", FORMS)
def test_the_table_of_frameworks(name: str) -> None:
    program, bare, double = FORMS[name]
    assert bare in said(f"path = 'x'\n{program}", *FRAMEWORKS)
    assert double in said(f"path = '//x'\n{program}", *FRAMEWORKS)


def test_django_takes_the_slash_off() -> None:
    program = """
import django
from django.conf import settings
settings.configure(ROOT_URLCONF=__name__)
django.setup()
from django.urls import include, path, resolve
urlpatterns = [path("right", print), path("/wrong", print), path("/api/", include([path("x", print)]))]
urlpatterns += [path("shop", include([path("orders", print)]))]
for asked in ("/right", "/wrong", "/api/x", "/shoporders", "/shop/orders"):
    try:
        resolve(asked)
        print(asked)
    except Exception as error:
        print(type(error).__name__)
"""
    assert said(program, *FRAMEWORKS).split() == ["/right", "Resolver404", "Resolver404", "/shoporders", "Resolver404"]


@pytest.mark.parametrize(
    ("name", "asked", "bad", "fixed"),
    [
        ("absolute-second-part", "CONFIG", "/etc/app.conf", "/etc/app.conf"),
        ("urljoin-drops-path", "users()", "https://example.com/users", "https://example.com/api/users"),
        ("unnormalised-prefix", "login()", "http://h//login", "http://h/login"),
    ],
)
def test_joins(name: str, asked: str, bad: str, fixed: str) -> None:
    environment = {"ROOT_URL": "http://h/"}
    assert said(f"{page(name, 'Bad')}\nprint({asked})", env=environment) == bad
    after = said(f"{page(name, 'Fixed')}\nprint({asked})", env=environment)
    assert after == fixed or (name == "absolute-second-part" and after.endswith(fixed) and after != bad)


def test_a_doubled_slash_is_sent_as_it_is() -> None:
    fake = "\nimport requests\nrequests.get = lambda url: url\nprint(users())"
    assert said(page("doubled-or-missing-slash", "Bad") + fake, "requests>=2.32") == "https://example.com/api//users"
    assert said(page("doubled-or-missing-slash", "Fixed") + fake, "requests>=2.32") == "https://example.com/api/users"


def test_a_mounted_socket_application_compares_the_whole_path() -> None:
    asked = f'{STATUS}\nstatus("/ws/socket.io/?EIO=4&transport=polling")'
    assert said(page("path-ignores-mount", "Bad") + asked, *WEB) == "[404]"
    assert said(page("path-ignores-mount", "Fixed") + asked, *WEB) == "[200]"


def test_a_base_address_without_a_slash_raises() -> None:
    program = (
        "import asyncio, aiohttp\n"
        "async def main():\n"
        "    async with aiohttp.ClientSession(base_url={!r}) as s:\n"
        "        print(s._build_url('/x'), s._build_url('x'))\n"
        "asyncio.run(main())"
    )
    assert "must have a trailing '/'" in said(program.format("http://h/api"), "aiohttp>=3.14,<4")
    assert said(program.format("http://h/api/"), "aiohttp>=3.14,<4") == "http://h/x http://h/api/x"


def test_the_first_route_that_matches_is_taken() -> None:
    asked = f'{STATUS}\nstatus("/items/mine", "/items/7")'
    assert said(page("shadowed-route", "Bad") + asked, *WEB) == "[422, 200]"
    assert said(page("shadowed-route", "Fixed") + asked, *WEB) == "[200, 200]"
    assert said(page("shadowed-route", "Good") + asked, *WEB) == "[200, 200]"


def test_of_two_routes_with_one_path_the_first_answers() -> None:
    asked = (
        f'{STATUS}\nprint(TestClient(app).get("/health").json(), TestClient(app).get("/health/database").status_code)'
    )
    assert said(page("duplicate-route", "Bad") + asked, *WEB) == "{'status': 'ok'} 404"
    assert said(page("duplicate-route", "Fixed") + asked, *WEB) == "{'status': 'ok'} 200"
    assert (
        said(f'{page("duplicate-route", "Good")}{STATUS}\nstatus("/", "/index", "/whoami")', *WEB) == "[200, 200, 200]"
    )


SHADOWS = {
    "starlette": """
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route
from starlette.testclient import TestClient
def make(text):
    async def answer(request):
        return PlainTextResponse(text)
    return answer
client = TestClient(Starlette(routes=[
    Route("/items/{id}", make("any")), Route("/items/mine", make("mine")), Route("/d", make("1")), Route("/d", make("2")),
    Mount("/m", routes=[Route("/a", make("a"))]), Route("/m/b", make("b"))]))
print(client.get("/items/mine").text, client.get("/d").text, client.get("/m/b").status_code)
""",
    "flask": """
from flask import Flask
app = Flask("app")
for number, (rule, text) in enumerate([("/items/<id>", "any"), ("/items/mine", "mine"), ("/d", "1"), ("/d", "2")]):
    app.add_url_rule(rule, str(number), lambda text=text, **given: text)
client = app.test_client()
print(client.get("/items/mine").text, client.get("/d").text)
""",
    "bottle": """
import bottle, io
app = bottle.Bottle()
for rule, text in [("/items/<id>", "any"), ("/items/mine", "mine"), ("/d", "1"), ("/d", "2")]:
    app.route(rule, callback=lambda text=text, **given: text)
def get(path):
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": path, "wsgi.input": io.BytesIO(), "wsgi.errors": io.StringIO()}
    return b"".join(app(environ, lambda *given: None)).decode()
print(get("/items/mine"), get("/d"))
""",
    "falcon": """
import falcon, falcon.testing
class Answer:
    def __init__(self, text):
        self.text = text
    def on_get(self, request, response, **given):
        response.text = self.text
app = falcon.App()
for rule, text in [("/items/{id}", "any"), ("/items/mine", "mine"), ("/d", "1"), ("/d", "2")]:
    app.add_route(rule, Answer(text))
client = falcon.testing.TestClient(app)
print(client.simulate_get("/items/mine").text, client.simulate_get("/d").text)
""",
    "aiohttp": """
import asyncio
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
def make(text):
    async def answer(request):
        return web.Response(text=text)
    return answer
async def main():
    app = web.Application()
    for rule, text in [("/items/{id}", "any"), ("/items/mine", "mine"), ("/d", "1"), ("/e", "e"), ("/d", "2")]:
        app.router.add_get(rule, make(text))
    async with TestClient(TestServer(app)) as client:
        print(*[await (await client.get(path)).text() for path in ("/items/mine", "/d")])
    try:
        app = web.Application()
        app.router.add_get("/d", make("1"))
        app.router.add_get("/d", make("2"))
    except RuntimeError as error:
        print(error)
asyncio.run(main())
""",
    "django": """
import sys, types, django
from django.conf import settings
from django.http import HttpResponse
settings.configure(ROOT_URLCONF="urls", ALLOWED_HOSTS=["*"], SECRET_KEY="x")
from django.urls import path
def make(text):
    return lambda request, **given: HttpResponse(text)
urls = types.ModuleType("urls")
urls.urlpatterns = [path(rule, make(text)) for rule, text in [("items/<id>", "any"), ("items/mine", "mine"),
    ("i/<int:id>", "int"), ("i/mine", "mine"), ("d", "1"), ("d", "2")]]
sys.modules["urls"] = urls
django.setup()
from django.test import Client
print(*[Client().get(path).content.decode() for path in ("/items/mine", "/i/mine", "/d")])
""",
    "tornado": """
import tornado.httputil, tornado.web, warnings
warnings.simplefilter("ignore")
class One(tornado.web.RequestHandler): pass
class Two(tornado.web.RequestHandler): pass
app = tornado.web.Application([(r"/items/([^/]+)", One), (r"/items/mine", Two), (r"/d", One), (r"/d", Two)])
def get(path):
    connection = type("Connection", (), {"context": None})()
    request = tornado.httputil.HTTPServerRequest(method="GET", uri=path, connection=connection)
    return app.find_handler(request).handler_class.__name__
print(get("/items/mine"), get("/d"))
""",
}


@pytest.mark.parametrize(
    ("framework", "answers"),
    [
        ("starlette", "any 1 404"),
        ("flask", "mine 1"),
        ("bottle", "mine 2"),
        ("falcon", "mine 2"),
        ("aiohttp", "mine 1\nAdded route will never be executed, method HEAD is already registered"),
        ("django", "any mine 1"),
        ("tornado", "One One"),
    ],
)
def test_who_shadows_and_who_does_not(framework: str, answers: str) -> None:
    program = f"import warnings; warnings.simplefilter('ignore')\n{SHADOWS[framework]}"
    assert said(program, *(WEB if framework == "starlette" else FRAMEWORKS)) == answers


SERVERS = {
    "nicegui": (
        "from nicegui import app, ui\nui.page(path)(lambda: None)\n"
        "from starlette.testclient import TestClient\nprint([r.path for r in app.routes][-1])",
        ("nicegui>=3",),
        "x",
    ),
    "dash": (
        "import dash\ndash.Dash('x', url_base_pathname=path + '/')",
        ("dash>=4",),
        "`routes_pathname_prefix` needs to start with `/`",
    ),
    "mcp": (
        "from mcp.server.fastmcp import FastMCP\nserver = FastMCP('x')\n"
        "@server.custom_route(path, methods=['GET'])\nasync def answer(request): ...\n"
        "print([r.path for r in server.streamable_http_app().routes])",
        ("mcp>=1.20,<2",),
        "Routed paths must start with '/'",
    ),
}


@pytest.mark.parametrize("name", SERVERS)
def test_servers_without_a_slash(name: str) -> None:
    program, requirements, says = SERVERS[name]
    silent = "import warnings; warnings.simplefilter('ignore')\n"
    assert says in said(f"{silent}path = 'x'\n{program}", *requirements).splitlines()[-1]
    assert says not in said(f"{silent}path = '/x'\n{program}", *requirements).splitlines()[-1:]
