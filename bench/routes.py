"""The route table that `pitfall-lint routes` reads from the text, beside what the started application has registered.

    python bench/routes.py FOLDER module:attribute [--python PYTHON] [--call] [--cwd DIR]

FOLDER is the installed package; `module:attribute` is its application (`--call`: a function that makes it). PYTHON is
the interpreter of an environment in which the package is installed; there the application is imported in a process
of its own and its routes are listed: Starlette and FastAPI (routers, mounts and includes walked), Flask, aiohttp.
Printed are the figures and every path on which the two differ: "only real" is registered and not in our table,
"only ours" is in our table and not registered (a router that nobody includes, a branch that this start did not
take). `--then` names a function that is called with the application first: for programs that load routers late.

Measured: litellm 1.106.2, `litellm.proxy.proxy_server:app`, with `--then
litellm.proxy._lazy_features:register_all_features` (it loads routers at the first request): 1137 pairs of method and
path registered, 1061 of them (93 %) in our table, 76 only real, 53 only ours. As it is right after the start: 676
registered, 612 in our table; of the 64 others 14 belong to another package (litellm_enterprise), 3 are FastAPI's own
(/openapi.json …), 46 are made in factories that are called with the rows of a table (ours shows
`{prefix}/daily/activity/aggregated`), one is a mount of a library.

prefect 3.8.8 with fastapi 0.150, `prefect.server.api.server:create_app --call --within prefect` (30 routers in a
tuple that a loop includes, in an application that another function makes and mounts): 196 registered, all 196 in
our table; only ours are the same routes below the other mount path (a setting), and those of other programs.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable

WALK = r"""
import importlib, json, re, sys
module, _, attribute = sys.argv[1].partition(":")
app = importlib.import_module(module)
for name in attribute.split("."):
    app = getattr(app, name)
if sys.argv[2] == "call":
    app = app()
if sys.argv[3]:
    module, _, attribute = sys.argv[3].partition(":")
    getattr(importlib.import_module(module), attribute)(app)

def below(path):
    return re.sub(r"/*$", "", path)

def walk(routes, prefix):
    for route in routes:
        if hasattr(route, "effective_candidates"):  # a router that FastAPI includes
            yield from walk(route.effective_candidates(), prefix)
            continue
        path = getattr(route, "path", None)
        if path == "" and hasattr(route, "original_route"):  # a websocket of a router that FastAPI includes
            path = route.original_route.path
        if path is None:
            host = getattr(route, "app", None)
            yield from walk(getattr(host, "routes", None) or (), prefix)
            continue
        inner = getattr(getattr(route, "app", None), "routes", None) or getattr(route, "routes", None)
        if type(getattr(route, "original_route", route)).__name__ == "Mount":
            yield "MOUNT", prefix + (path or "/"), ""
            yield from walk(inner or (), prefix + below(path))
            continue
        endpoint = getattr(route, "endpoint", None)
        origin = getattr(endpoint, "__module__", "") or ""
        methods, kind = getattr(route, "methods", None), type(getattr(route, "original_route", route)).__name__
        for method in sorted(methods) if methods else ["WEBSOCKET" if "WebSocket" in kind else "*"]:
            yield method, prefix + path, origin

def rows(app):
    if hasattr(app, "url_map"):
        for rule in app.url_map.iter_rules():
            for method in sorted(rule.methods or {"*"}):
                yield method, str(rule.rule), ""
    elif hasattr(app, "router") and hasattr(app.router, "resources"):
        for route in app.router.routes():
            yield route.method, route.resource.canonical if route.resource else "", ""
    else:
        for _ in range(12):  # an application inside of middlewares
            if hasattr(app, "routes"):
                break
            app = getattr(app, "app", None) or getattr(app, "other_asgi_app", None) or app
        yield from walk(app.routes, "")

print("ROUTES" + json.dumps(list(rows(app))))
"""


def real(target: str, python: str, call: bool, then: str, cwd: str | None) -> list[tuple[str, str, str]]:
    """Return (method, path, module of the endpoint) of what the started application registers."""
    command = [python, "-W", "ignore", "-c", WALK, target, "call" if call else "", then]
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd)
    for line in done.stdout.splitlines():
        if line.startswith("ROUTES"):
            return [(method, path, origin) for method, path, origin in json.loads(line[6:])]
    raise SystemExit(f"the application does not start:\n{done.stdout[-2000:]}{done.stderr[-4000:]}")


def ours(folder: str) -> list[dict[str, str]]:
    """Return the entries of our table."""
    with tempfile.TemporaryDirectory() as alone:  # beside it in site-packages the frameworks would count as its own
        copy = shutil.copytree(folder, os.path.join(alone, os.path.basename(folder.rstrip("/"))))
        command = [sys.executable, "-m", "pitfall_lint", "routes", alone, "--output-format", "json"]
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        found: list[dict[str, str]] = json.loads(text)
    for entry in found:
        entry["file"] = entry["file"].rpartition(os.path.basename(copy) + os.sep)[2]
    return found


def normal(path: str) -> str:
    """Return a path in which parameters keep neither convertor nor Flask's brackets."""
    path = re.sub(r"<(?:[^:<>]*:)?([^<>]*)>", r"{\1}", path)
    return re.sub(r"\{(\w+):[^{}]*\}", r"{\1}", path) or "/"


def methods_of(entry: dict[str, str]) -> Iterable[str]:
    """Return the methods of one of our entries; "*" when it does not tell."""
    if entry["kind"] in {"mount", "websocket"}:
        return [entry["kind"].upper()]
    return entry["methods"].split(",") if entry["methods"] else ["*"]


def main() -> None:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("target", metavar="module:attribute")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--call", action="store_true", help="the attribute is a function that makes the application")
    parser.add_argument("--then", default="", help="module:function to call with the application before it is asked")
    parser.add_argument("--cwd", help="where the application is started")
    parser.add_argument("--within", default="", help="compare only endpoints of modules that start so")
    options = parser.parse_args()
    registered: dict[tuple[str, str], set[str]] = collections.defaultdict(set)
    outside = 0
    for method, path, origin in real(options.target, options.python, options.call, options.then, options.cwd):
        if method in {"HEAD", "OPTIONS"}:
            continue  # added by the frameworks themselves
        if origin and not origin.startswith(options.within):
            outside += 1
            continue
        registered[method, normal(path)].add(origin)
    places: dict[tuple[str, str], list[str]] = collections.defaultdict(list)
    for entry in ours(options.folder):
        for method in methods_of(entry):
            if method not in {"HEAD", "OPTIONS"}:
                places[method, normal(entry["path"])].append(f"{entry['file']}:{entry['line']}")
    open_methods = {path for method, path in places if method == "*"}
    every_method = {path for method, path in registered if method == "*"}
    real_only = [key for key in registered if key not in places and key[1] not in open_methods]
    ours_only = [
        key
        for key in places
        if key not in registered
        and key[1] not in every_method
        and not (key[0] == "*" and any(path == key[1] for _, path in registered))
    ]
    for title, keys in (("only real", real_only), ("only ours", ours_only)):
        for method, path in sorted(keys, key=lambda key: key[::-1]):
            where = places.get((method, path)) or sorted(registered.get((method, path), ()))
            print(f"{title}  {method:9} {path:70} {', '.join(where)}")
    both = len(registered) - len(real_only)
    print(
        f"registered {len(registered)} (and {outside} of other packages), in our table {len(places)}: "
        f"both {both}, only real {len(real_only)}, only ours {len(ours_only)}"
    )


if __name__ == "__main__":
    main()
