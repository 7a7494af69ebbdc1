"""What the pages on proxies claim, with real libraries, a local server and a proxy that hangs up."""

from __future__ import annotations

import http.server
import json
import os
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]

from evidence import rules  # noqa: E402
from libraries import run  # noqa: E402

HTTP = ("httpx>=0.28,<0.29", "requests>=2.32", "aiohttp>=3.14,<4", "curl_cffi>=0.16")
GRADIO = ("gradio>=6.31,<7",)


class Answer(http.server.BaseHTTPRequestHandler):
    """Answers everything with a little JSON."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[int]:
    """The port of a server on all addresses of this machine."""
    made = http.server.ThreadingHTTPServer(("0.0.0.0", 0), Answer)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield made.server_address[1]
    made.shutdown()


@pytest.fixture(scope="module")
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


def page(code: str, section: str) -> str:
    return rules()[code].page.programs(section)[0]


def upper(proxy: str) -> dict[str, str]:
    return {"HTTP_PROXY": proxy, "HTTPS_PROXY": proxy}


def test_local_request_via_proxy(server: int, proxy: str) -> None:
    end = f"\nassert is_up({server})\n"
    bad = run(page("PIT501", "Bad") + end, *HTTP, env=upper(proxy))
    assert "httpx.RemoteProtocolError: Server disconnected without sending a response" in bad.stderr
    fixed = run(page("PIT501", "Fixed") + end, *HTTP, env=upper(proxy))
    assert fixed.returncode == 0, fixed.stderr


@pytest.mark.parametrize(
    "arguments", ["", "server_name='127.0.0.1'", "server_name='0.0.0.0'"], ids=["bare", "loopback", "any"]
)
def test_ui_launch_via_proxy(proxy: str, arguments: str) -> None:
    def program(section: str) -> str:
        text = page("PIT502", section).replace(".launch()", f".launch(prevent_thread_lock=True, {arguments})")
        return text + "\nrun_demo()\n"

    env = {**upper(proxy), "GRADIO_ANALYTICS_ENABLED": "False"}
    bad = run(program("Bad"), *GRADIO, env=env, seconds=180)
    assert bad.returncode, "the launch worked"
    assert "Server disconnected without sending a response" in bad.stderr
    fixed = run(program("Fixed"), *GRADIO, env=env, seconds=180)
    assert fixed.returncode == 0, fixed.stderr


@pytest.mark.parametrize("user", ["NO_PROXY", "no_proxy"])
def test_no_proxy_overwritten(server: int, proxy: str, user: str) -> None:
    end = f"\nimport httpx\nprepare()\nassert httpx.get('http://127.0.0.2:{server}').is_success\n"
    env = {**upper(proxy), user: "127.0.0.2"}
    bad = run(page("PIT503", "Bad") + end, *HTTP, env=env)
    assert "RemoteProtocolError" in bad.stderr
    fixed = run(page("PIT503", "Fixed") + end, *HTTP, env=env)
    assert fixed.returncode == 0, fixed.stderr


def test_proxy_set_for_everyone(server: int, proxy: str) -> None:
    def program(section: str) -> str:
        return page("PIT504", section).replace(":8000", f":{server}") + f"\nmain({proxy!r})\n"

    bad = run(program("Bad"), *HTTP)
    assert "requests.exceptions.ProxyError" in bad.stderr
    fixed = run(program("Fixed"), *HTTP)
    assert fixed.returncode == 0, fixed.stderr


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "ALL_PROXY", "all_proxy"])
def test_half_cleared_proxy(server: int, proxy: str, variable: str) -> None:
    end = f"\nimport httpx\ngo_direct()\nassert httpx.get('http://127.0.0.1:{server}').is_success\n"
    bad = run(page("PIT505", "Bad") + end, *HTTP, env={variable: proxy})
    assert "RemoteProtocolError" in bad.stderr
    fixed = run(page("PIT505", "Fixed") + end, *HTTP, env={variable: proxy})
    assert fixed.returncode == 0, fixed.stderr


def test_an_empty_lower_case_variable_hides_the_upper_case_one(server: int, proxy: str) -> None:
    program = f"import os, httpx\nos.environ['http_proxy'] = ''\nhttpx.get('http://127.0.0.1:{server}')\n"
    assert run(program, *HTTP, env=upper(proxy)).returncode == 0


def test_clearing_a_variable_that_is_not_set_raises() -> None:
    assert "KeyError" in run("import os\ndel os.environ['http_proxy']\n", *HTTP).stderr


def test_proxy_bypass_without_effect(server: int, proxy: str) -> None:
    def program(section: str) -> str:
        return page("PIT506", section).replace("10.0.0.7:8000", f"127.0.0.1:{server}") + "\nlocal('x')\n"

    bad = run(program("Bad"), *HTTP, env=upper(proxy))
    assert "requests.exceptions.ProxyError" in bad.stderr
    fixed = run(program("Fixed"), *HTTP, env=upper(proxy))
    assert fixed.returncode == 0, fixed.stderr


def test_launch_has_no_parameter_for_a_proxy() -> None:
    program = "import gradio as gr\ngr.Interface(str, 'text', 'text').launch(http_proxy='')\n"
    assert "unexpected keyword argument 'http_proxy'" in run(program, *GRADIO, seconds=180).stderr


ASK = "async def ask(**o):\n async with aiohttp.ClientSession(**o) as s, s.get(URL) as r: await r.text()\n"
SESSION = "s = requests.Session(); "
CLAIMS = [  # what is run, in which environment, whether it reaches the local server
    ("httpx.get(URL)", "HTTP_PROXY", False),
    ("httpx.get(URL)", "ALL_PROXY", False),
    ("httpx.get(URL, trust_env=False)", "HTTP_PROXY", True),
    ("httpx.get(URL, trust_env=False)", "ALL_PROXY", True),
    ("httpx.get(URL, proxy=None)", "HTTP_PROXY", False),
    ("httpx.Client(transport=httpx.HTTPTransport()).get(URL)", "HTTP_PROXY", True),
    ("httpx.Client(mounts={'all://127.0.0.1': None}).get(URL)", "HTTP_PROXY", True),
    ("httpx.Client(mounts={'all://': None}).get(URL)", "HTTP_PROXY", False),
    ("httpx.Client(mounts={'http://': None, 'https://': None}).get(URL)", "ALL_PROXY", True),
    ("httpx.HTTPCORE_OPTS = {'trust_env': False}; httpx.get(URL)", "HTTP_PROXY", False),
    ("c = httpx.Client(); os.environ['NO_PROXY'] = '127.0.0.1'; c.get(URL)", "HTTP_PROXY", False),
    ("os.environ['NO_PROXY'] = '127.0.0.0/8'; httpx.get(URL)", "HTTP_PROXY", False),
    ("os.environ['NO_PROXY'] = 'localhost'; httpx.get(URL)", "HTTP_PROXY", False),
    ("os.environ['NO_PROXY'] = 'localhost,127.0.0.1'; httpx.get(URL)", "HTTP_PROXY", True),
    ("requests.get(URL)", "HTTP_PROXY", False),
    ("requests.get(URL)", "ALL_PROXY", False),
    ("requests.get(URL, proxies={})", "HTTP_PROXY", False),
    ("requests.get(URL, proxies={'http': '', 'https': ''})", "HTTP_PROXY", True),
    ("requests.get(URL, proxies={'http': '', 'https': ''})", "ALL_PROXY", True),
    ("requests.get(URL, proxies={'http': None})", "ALL_PROXY", False),
    ("requests.get(URL, proxies={'no_proxy': '127.0.0.1'})", "HTTP_PROXY", True),
    (SESSION + "s.proxies = {}; s.get(URL)", "HTTP_PROXY", False),
    (SESSION + "s.proxies = {'http': '', 'https': ''}; s.get(URL)", "HTTP_PROXY", False),
    (SESSION + "s.trust_env = False; s.get(URL)", "HTTP_PROXY", True),
    (SESSION + "os.environ['NO_PROXY'] = '127.0.0.1'; s.get(URL)", "HTTP_PROXY", True),
    ("os.environ['NO_PROXY'] = '127.0.0.0/8'; requests.get(URL)", "HTTP_PROXY", True),
    ("urllib.request.urlopen(URL)", "HTTP_PROXY", False),
    ("urllib.request.urlopen(URL)", "ALL_PROXY", True),
    ("urllib.request.build_opener(urllib.request.ProxyHandler({})).open(URL)", "HTTP_PROXY", True),
    ("os.environ['NO_PROXY'] = '127.0.0.0/8'; urllib.request.urlopen(URL)", "HTTP_PROXY", False),
    ("c = http.client.HTTPConnection(HOST); c.request('GET', '/'); c.getresponse()", "HTTP_PROXY", True),
    ("urllib3.PoolManager(retries=False).request('GET', URL)", "HTTP_PROXY", True),
    ("asyncio.run(ask())", "HTTP_PROXY", True),
    ("asyncio.run(ask(trust_env=True))", "HTTP_PROXY", False),
    ("asyncio.run(ask(trust_env=True))", "ALL_PROXY", True),
    ("os.environ['NO_PROXY'] = '127.0.0.0/8'; asyncio.run(ask(trust_env=True))", "HTTP_PROXY", False),
    ("curl_cffi.requests.get(URL)", "http_proxy", False),
    ("curl_cffi.requests.get(URL)", "HTTP_PROXY", True),
    ("curl_cffi.requests.get(URL)", "ALL_PROXY", False),
    ("curl_cffi.requests.Session(trust_env=False).get(URL)", "http_proxy", False),
    ("curl_cffi.requests.get(URL, proxy='')", "http_proxy", False),
    ("curl_cffi.requests.get(URL, proxies={'http': '', 'https': ''})", "http_proxy", True),
]


ALL_CLAIMS = """
import asyncio, http.client, json, os, sys, traceback, urllib.request
import aiohttp, curl_cffi.requests, httpx, requests, urllib3
for number, (code, variable) in enumerate(json.loads(sys.stdin.read())):
    child = os.fork()
    if child == 0:
        os.environ[variable] = PROXY
        sys.stderr = open(os.devnull, "w")
        try:
            exec(code, globals())
        except BaseException:
            os._exit(1)
        os._exit(0)
    print(number, os.waitpid(child, 0)[1] == 0, flush=True)
"""


@pytest.fixture(scope="module")
def reached(server: int, proxy: str) -> list[bool]:
    """Whether each claim's request reached the server; one process that forks, as imports take long."""
    host = f"HOST = '127.0.0.1:{server}'\nURL = f'http://{{HOST}}/'\nPROXY = {proxy!r}\n{ASK}"
    program = ALL_CLAIMS.replace("import aiohttp", f"{host}import aiohttp", 1)
    done = run(program, *HTTP, "urllib3", stdin=json.dumps([claim[:2] for claim in CLAIMS]), seconds=180)
    assert done.returncode == 0, done.stderr
    return [line.endswith("True") for line in done.stdout.splitlines()]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the claims are run in forks")
@pytest.mark.parametrize("number", range(len(CLAIMS)), ids=[f"{code} {variable}" for code, variable, _ in CLAIMS])
def test_table(reached: list[bool], number: int) -> None:
    assert reached[number] is CLAIMS[number][2]
