"""Requests to this machine, and whether the client that sends them asks the environment for a proxy."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import libcst as cst

from pitfall_lint.libraries.proxies import ProxiedClient, ProxiedRequest
from pitfall_lint.semantic import environment, programs
from pitfall_lint.semantic.hosts import DEFAULTS, UNKNOWN_PART, local_host, shapes
from pitfall_lint.semantic.values import Const, Instance

if TYPE_CHECKING:
    from pitfall_lint.semantic.call import Call
    from pitfall_lint.semantic.file import File

_HOST = re.compile(rb"(?i)localhost|127\.\d|0\.0\.0\.0|::1")
_PROBES = re.compile(r"(?i)wait|ready|health|alive|probe|ping|heartbeat|is_?(?:up|running)|has_started")
_PROBING = re.compile(r"(?i)health_?check|wait_?for|liveness|readiness")
"""Names of modules that are there to ask whether a server is up."""
_REMOTE = re.compile(r"(?i)\w+://(?:[^/@\0]*@)?[^/:?#\0]*\w")


@dataclass(frozen=True, eq=False)
class LocalRequest:
    """A request to this machine that goes through the environment's proxy, if one is set."""

    call: Call
    url: str
    """The URL as far as it is known, for messages."""
    host: str
    row: ProxiedRequest | ProxiedClient
    client: Call | None = None
    """The constructor of the client that sends it, if there is one."""
    doubt: str = ""
    """Why it may go elsewhere: `default`, `probe` (of a server whose address is not known) or `version`."""


def local_requests(file: File) -> Iterator[LocalRequest]:
    """Yield requests in sight to this machine that trust the environment, unless somebody provided for it."""
    for found in _requests(file, file.calls()):
        if not _excepted(file, found.call, found.host or "127.0.0.1"):
            yield found


def local_requests_in_reach(file: File) -> Iterator[LocalRequest]:
    """Yield the like requests of this whole module and of the project's modules that it imports."""
    for module in programs.modules(file, 1):
        if _HOST.search(module.source.data):
            calls = (
                module.call(node) for node in module.skeleton.by_kind.get(cst.Call, ()) if isinstance(node, cst.Call)
            )
            yield from (found for found in _requests(module, calls) if not found.doubt)
            for block in module.outline.functions:
                lines = b"".join(module.source.lines[block.first : block.end])
                if any(word in lines for word in _words(module)):
                    found_here = _requests(module, module.function_for(block).calls())
                    yield from (found for found in found_here if not found.doubt)


def _words(file: File) -> list[bytes]:
    rows = file.libraries.rows(ProxiedClient)
    words = {word for row in rows for word in (*row.methods, *row.second)}
    words |= file.libraries.leaves(ProxiedRequest) | file.libraries.leaves(ProxiedClient)
    return [word.encode() for word in words]


def _requests(file: File, calls: Iterable[Call]) -> Iterator[LocalRequest]:
    clients = file.libraries.rows(ProxiedClient)
    methods = {method for row in clients for method in (*row.methods, *row.second)}
    requests = file.libraries.leaves(ProxiedRequest)
    for call in calls:
        found: LocalRequest | None = None
        for row in file.rows_of_call(call, ProxiedRequest, requests):
            found = found or _by_function(file, call, row)
        if found is None and call.method in methods:
            found = _by_client(call)
        if found is None:
            bound = next((row for row in file.rows_of_call(call, ProxiedClient) if row.bound), None)
            found = _by_constructor(call, bound) if bound is not None else None
        if found is not None and (allowed := file.version_allows(found.row)) is not False:
            yield found if allowed else replace(found, doubt="version")


def _target(file: File, url: cst.BaseExpression, call: Call) -> tuple[str, str] | None:
    """Return the host on this machine that a URL means, and the doubt about it; None when it means another."""
    if (host := local_host(file, url)) is not None:
        return host, ""
    if (host := local_host(file, url, DEFAULTS)) is not None:
        return host, "default"
    function = call.function
    if function is None or not (_PROBES.search(function.name) or _PROBING.search(Path(file.source.path).stem)):
        return None
    known = shapes(file, url)
    return None if any(_REMOTE.match(text) or text.startswith("/") for text in known) else ("", "probe")


def _by_function(file: File, call: Call, row: ProxiedRequest) -> LocalRequest | None:
    url = call.where(row.url)
    if url is None or call.has_star or _called(file, row.settled_by_calls):
        return None
    if _settled(call, row.settled_by, row.direct):
        return None
    owner, url = file, url
    if row.carrier and file.is_instance(url, row.carrier):
        origin = next((v for v in file.values_of(url) if isinstance(v, Instance)), None)
        if origin is None or origin.file is None or not isinstance(origin.origin, cst.Call):
            return None
        owner, inner = origin.file, origin.file.call(origin.origin).arg(0, "url")
        if inner is None:
            return None
        url = inner
    target = _target(owner, url, call)
    return LocalRequest(call, _readable(owner, url), target[0], row, None, target[1]) if target else None


def _by_client(call: Call) -> LocalRequest | None:
    assert call.receiver is not None
    instances = [v for v in call.file.values_of(call.receiver) if not (isinstance(v, Const) and v.value is None)]
    found: LocalRequest | None = None
    for value in instances:
        if not isinstance(value, Instance) or not isinstance(value.type, str) or value.file is None:
            return None
        row = value.file.libraries.find(ProxiedClient, value.type)
        if row is None or not isinstance(value.origin, cst.Call):
            return None
        made = value.file.call(value.origin)
        if made.name is None or not _asks(made, row) or _settled(call, row.request_settled_by):
            return None
        if _changed(call.file, row) or _changed(value.file, row):
            return None
        found = _to_here(call, row, made)
        if found is None:
            return None
    return found


def _to_here(call: Call, row: ProxiedClient, made: Call) -> LocalRequest | None:
    """Return the request if its URL, joined to the client's base URL, is on this machine."""
    position = 0 if call.method in row.methods else 1 if call.method in row.second else -1
    url = call.arg(position, "url") if position >= 0 else None
    if url is None or (call.has_star and row.request_settled_by):
        return None
    base = made.where(row.base_url) if row.base_url else None
    paths = shapes(call.file, url)
    if base is None and (target := _target(call.file, url, call)) is not None:
        return LocalRequest(call, _readable(call.file, url), target[0], row, made, target[1])
    if (host := local_host(call.file, url)) is not None:
        return LocalRequest(call, _readable(call.file, url), host, row, made)
    if base is None or not paths or any(UNKNOWN_PART in p[:1] or re.match(r"\w+://|//", p) for p in paths):
        return None
    target = _target(made.file, base, call)
    return LocalRequest(call, _readable(made.file, base), target[0], row, made, target[1]) if target else None


def _by_constructor(call: Call, row: ProxiedClient) -> LocalRequest | None:
    base = call.where(row.base_url)
    if base is None or not _asks(call, row):
        return None
    target = _target(call.file, base, call)
    return LocalRequest(call, _readable(call.file, base), target[0], row, None, target[1]) if target else None


def _asks(made: Call, row: ProxiedClient) -> bool:
    """Tell whether a client made like this surely asks the environment for proxies."""
    if made.has_star or _settled(made, row.settled_by):
        return False
    given = made.keyword(row.switch) if row.switch else None
    if given is None:
        return row.trusts
    return made.file.folded(given) is True


def _settled(call: Call, keywords: Iterable[str], direct: str = "") -> bool:
    """Tell whether one of the keywords is given as something else than None, or as what helps."""
    for name in keywords:
        value = call.keyword(name)
        if value is not None and direct == f"{name}={call.file.wording(value)}":
            return True
        if value is not None and call.file.folded(value) is not None:
            return True
    return False


def _called(file: File, calls: Iterable[str]) -> bool:
    return any(name.rpartition(".")[2].encode() in file.source.data for name in calls)


def _changed(file: File, row: ProxiedClient) -> bool:
    """Tell whether this module may turn a client's switch or give it another connection later."""
    data = file.source.data
    if row.switch_is_attribute and re.search(rb"\.\s*%s\b(?!\s*=\s*True)" % row.switch.encode(), data):
        return True
    made = any(b"%s(" % usual.rpartition(".")[2].encode() in data for usual in row.usual)
    return not made and any(b".%s(" % method.encode() in data for method in row.settled_by_methods)


def _excepted(file: File, call: Call, host: str) -> bool:
    """Tell whether the program listed this host in NO_PROXY before, or dropped the proxies."""
    exceptions, proxies = environment.spellings(file, "exceptions"), environment.spellings(file, "proxy")
    for use in programs.before(file, call.node):
        if use.does in ("set", "append", "default") and exceptions.intersection(use.names):
            texts = use.shapes()
            if not texts or any(environment.may_list(text, host) for text in texts):
                return True
        if use.does == "clear" and proxies.intersection(use.names):
            return True
    return False


def _readable(file: File, url: cst.BaseExpression) -> str:
    found = shapes(file, url, DEFAULTS)
    text = found[0].replace(UNKNOWN_PART, "…") if found else file.text(url)
    return text if len(text) <= 50 else text[:49] + "…"
