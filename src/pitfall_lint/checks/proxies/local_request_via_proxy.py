"""A request to this machine by a client that asks the environment for a proxy never arrives behind one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import libcst as cst

from pitfall_lint.finding import Edit, Finding, Fix
from pitfall_lint.libraries.proxies import ProxiedClient, ProxiedRequest
from pitfall_lint.semantic import proxied
from pitfall_lint.semantic.audience import for_users
from pitfall_lint.semantic.file import File
from pitfall_lint.semantic.proxied import LocalRequest


def check(file: File) -> Iterator[Finding]:
    """Report requests to localhost that go through HTTP_PROXY."""
    for request in proxied.local_requests(file):
        made = request.client
        finding = file.finding(
            request.call.node,
            _message(request),
            consequence="Behind a company's proxy it fails or gets the proxy's own 502 or 503 page.",
            fixes=[_direct(file, request)],
            related=[made.file.related(made.node, "the client that trusts the environment")] if made else (),
        )
        yield for_users(file, replace(finding, strict=bool(request.doubt)))


def _message(request: LocalRequest) -> str:
    is_secure = request.url.lower().startswith(("https", "wss"))
    proxy = "HTTPS_PROXY" if is_secure else "HTTP_PROXY"
    what = "client" if isinstance(request.row, ProxiedClient) and request.row.bound else "request"
    if request.doubt == "probe":
        return f"asks {request.url} whether it is up through {proxy} where that is set: a local server seems down"
    doubts = {"default": ", the default,", "version": f" ({request.row.library} {request.row.versions})"}
    url = f'"{request.url}"{doubts.get(request.doubt, "")}'
    return f"{what} for {url} goes through {proxy} where that is set: its {request.host} is not this machine"


def _direct(file: File, request: LocalRequest) -> Fix | None:
    title = "Do not ask the environment for a proxy"
    call, row = request.call, request.row
    if isinstance(row, ProxiedRequest):
        if row.direct:
            fix = file.edits(title, _argument(file, call.node, row.direct))
            return fix if row.direct_is_safe else fix.less_safe()
        return _instead(file, request, row, title)
    if row.request_direct:
        return file.edits(title, _argument(file, call.node, row.request_direct)).less_safe()
    made = request.client or call
    if made.file is not file:
        return None
    if row.direct:
        return file.edits(title, file.edit_add_argument(made.node, row.direct)).less_safe()
    return _without_switch(file, made.node, row.switch, title)


def _argument(file: File, node: cst.Call, argument: str) -> Edit:
    name = argument.partition("=")[0]
    for arg in node.args:
        if arg.keyword is not None and arg.keyword.value == name:
            return file.edit_replace_argument(arg, argument)
    return file.edit_add_argument(node, argument)


def _instead(file: File, request: LocalRequest, row: ProxiedRequest, title: str) -> Fix | None:
    func = request.call.node.func
    keywords = {arg.keyword.value for arg in request.call.node.args if arg.keyword is not None}
    if not row.instead or not isinstance(func, cst.Attribute) or not keywords <= {"data", "timeout"}:
        return None
    new = row.instead.format(module=file.code(func.value))
    return file.replace(func, new, title).less_safe()


def _without_switch(file: File, node: cst.Call, switch: str, title: str) -> Fix | None:
    kept = [arg for arg in node.args if arg.keyword is None or arg.keyword.value != switch]
    if len(kept) == len(node.args):
        return None
    arguments = ", ".join(
        file.code(file.exact(arg).with_changes(comma=cst.MaybeSentinel.DEFAULT)).strip() for arg in kept
    )
    return file.replace(node, f"{file.code(node.func)}({arguments})", title).less_safe()
