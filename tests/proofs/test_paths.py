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
for asked in ("/right", "/wrong", "/api/x"):
    try:
        resolve(asked)
        print(asked)
    except Exception as error:
        print(type(error).__name__)
"""
    assert said(program, *FRAMEWORKS).split() == ["/right", "Resolver404", "Resolver404"]


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
