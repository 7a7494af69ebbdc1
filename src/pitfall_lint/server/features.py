"""The capabilities that the server announces, each a short function."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from functools import partial
from typing import Any

from lsprotocol import types
from pygls import uris

from pitfall_lint.catalog import Rule
from pitfall_lint.config import FILES
from pitfall_lint.server import actions, diagnostics
from pitfall_lint.server.actions import FIX_ALL, OPEN_PAGE, Actions
from pitfall_lint.server.analysis import Analysis
from pitfall_lint.server.app import Server
from pitfall_lint.server.documents import Documents

_PROJECT_FILES = ("requirements", "uv.lock", "poetry.lock", "pdm.lock", "pylock.toml", "Pipfile.lock")


def items_of(server: Server, analysis: Analysis) -> dict[str, list[types.Diagnostic]]:
    """Return the diagnostics of an analysis by document."""
    related = server.can("text_document.publish_diagnostics.related_information") or server.can(
        "text_document.diagnostic.related_information"
    )
    rules = server.session.catalog
    return diagnostics.diagnostics(analysis, rules, server.units, server.source_of, related)


def create() -> Server:
    """Return a server that is ready to be started."""
    server = Server()
    feature: Callable[..., Any] = server.feature
    feature(types.INITIALIZE)(initialize)
    feature(types.INITIALIZED)(initialized)
    feature(types.SHUTDOWN)(shutdown)
    feature(types.TEXT_DOCUMENT_DID_OPEN)(did_open)
    feature(types.TEXT_DOCUMENT_DID_CHANGE)(did_change)
    feature(types.TEXT_DOCUMENT_DID_SAVE, types.SaveOptions(include_text=False))(did_save)
    feature(types.TEXT_DOCUMENT_DID_CLOSE)(did_close)
    feature(types.NOTEBOOK_DOCUMENT_DID_OPEN)(notebook_changed)
    feature(types.NOTEBOOK_DOCUMENT_DID_CHANGE)(notebook_changed)
    feature(types.NOTEBOOK_DOCUMENT_DID_CLOSE)(notebook_closed)
    feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)(did_change_configuration)
    feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)(did_change_watched_files)
    feature(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)(did_change_folders)
    feature(types.TEXT_DOCUMENT_DIAGNOSTIC, DIAGNOSTICS)(pull)
    feature(types.WORKSPACE_DIAGNOSTIC)(pull_workspace)
    feature(types.TEXT_DOCUMENT_HOVER)(hover)
    feature(types.TEXT_DOCUMENT_CODE_ACTION, ACTIONS)(code_actions)
    feature(types.CODE_ACTION_RESOLVE)(resolve)
    server.command(OPEN_PAGE)(open_page)
    return server


DIAGNOSTICS = types.DiagnosticOptions(
    inter_file_dependencies=True, workspace_diagnostics=True, identifier="pitfall-lint"
)
ACTIONS = types.CodeActionOptions(code_action_kinds=[types.CodeActionKind.QuickFix, FIX_ALL], resolve_provider=True)


def initialize(ls: Server, params: types.InitializeParams) -> None:
    """Get ready: our own documents, folders and what the editor said at the start."""
    ls.loop = asyncio.get_running_loop()
    known = ls.workspace
    folders = list(known.folders.values())
    ls.protocol._workspace = Documents(known.root_uri, known._sync_kind, folders, known.position_encoding)
    ls.read_folders()
    ls.use_options(params.initialization_options)


async def initialized(ls: Server, params: types.InitializedParams) -> None:
    """Ask for what can only be asked for now."""
    ls.watch_files()
    await ls.ask_settings()


def shutdown(ls: Server, params: None) -> None:
    """Stop working."""
    ls.scheduler.shutdown()


def did_open(ls: Server, params: types.DidOpenTextDocumentParams) -> None:
    """A document was opened."""
    _changed(ls, params.text_document.uri, lint=True, urgent=False)


def did_change(ls: Server, params: types.DidChangeTextDocumentParams) -> None:
    """A document was edited."""
    uri = params.text_document.uri
    _changed(ls, uri, lint=ls.session.settings.client(ls.path_of(uri)).run == "onType")


def _changed(ls: Server, uri: str, *, lint: bool, urgent: bool = True) -> None:
    if ls.is_ours(uri):
        ls.overlay(uri)
        main = ls.main_uri(uri)
        ls.scheduler.edited(main, ls.path_of(main), lint=lint, urgent=urgent)


async def did_save(ls: Server, params: types.DidSaveTextDocumentParams) -> None:
    """A document was saved; settings may be among them where the editor watches no files."""
    path = ls.path_of(params.text_document.uri)
    if _is_settings(path) or ls.session.settings.uses(path):
        await ls.reload()
    elif ls.is_ours(params.text_document.uri):
        ls.scheduler.schedule(params.text_document.uri)


def did_close(ls: Server, params: types.DidCloseTextDocumentParams) -> None:
    """A document was closed: its findings go, and other files see what is on the disk."""
    uri = params.text_document.uri
    path = ls.path_of(uri)
    ls.session.overlay.pop(path, None)
    ls.scheduler.closed(uri, path)
    if not ls.pulls:
        ls.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri=uri, diagnostics=[]))


def notebook_changed(ls: Server, params: Any) -> None:
    """A notebook was opened or edited."""
    uri = params.notebook_document.uri
    if ls.documents.get_notebook_document(notebook_uri=uri) is not None:
        ls.scheduler.edited(uri, ls.path_of(uri))


def notebook_closed(ls: Server, params: types.DidCloseNotebookDocumentParams) -> None:
    """A notebook was closed."""
    uri = params.notebook_document.uri
    ls.scheduler.closed(uri, ls.path_of(uri))
    for cell in params.cell_text_documents:
        ls.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri=cell.uri, diagnostics=[]))


async def did_change_configuration(ls: Server, params: types.DidChangeConfigurationParams) -> None:
    """The editor's settings changed: some editors send them, others want to be asked."""
    if ls.can("workspace.configuration"):
        await ls.ask_settings()
    elif isinstance(params.settings, dict):
        ls.use_options(params.settings)
        await ls.reload()


async def did_change_watched_files(ls: Server, params: types.DidChangeWatchedFilesParams) -> None:
    """Files changed on the disk."""
    paths = [ls.path_of(change.uri) for change in params.changes]
    if any(_is_settings(path) or ls.session.settings.uses(path) for path in paths):
        await ls.reload()
    python = [path for path in paths if path.endswith((".py", ".pyi")) and path not in ls.session.overlay]
    if python:
        ls.scheduler.touched(python)
        ls.refresh()


def _is_settings(path: str) -> bool:
    name = os.path.basename(path)
    return name in FILES or name.endswith(".toml") or name.startswith(_PROJECT_FILES)


async def did_change_folders(ls: Server, params: types.DidChangeWorkspaceFoldersParams) -> None:
    """Folders came or went."""
    ls.read_folders()
    await ls.ask_settings()
    await ls.reload()


async def pull(ls: Server, params: types.DocumentDiagnosticParams) -> types.DocumentDiagnosticReport:
    """Answer with the findings of a document, or that they are those of last time."""
    uri = params.text_document.uri
    analysis = await _shown(ls, ls.main_uri(uri)) if ls.is_ours(uri) else None
    items = items_of(ls, analysis).get(uri, []) if analysis is not None else []
    name = diagnostics.fingerprint(items)
    if name == params.previous_result_id:
        return types.RelatedUnchangedDocumentDiagnosticReport(result_id=name)
    return types.RelatedFullDocumentDiagnosticReport(items=items, result_id=name)


async def _shown(ls: Server, uri: str) -> Analysis | None:
    """Return the analysis to show: the current one, or with `onSave` that of the last save, moved with the text."""
    known = ls.scheduler.shown.get(uri)
    if known is None or ls.session.settings.client(ls.path_of(uri)).run == "onType":
        return await ls.scheduler.analysis(uri)
    snapshot = ls.snapshot(uri)
    return known.moved_to(snapshot) if snapshot is not None else None


async def pull_workspace(ls: Server, params: types.WorkspaceDiagnosticParams) -> types.WorkspaceDiagnosticReport:
    """Answer with the findings of all files of all folders."""
    known = {each.uri: each.value for each in params.previous_result_ids}
    reports: list[Any] = []
    seen = set()
    for folder in list(ls.session.settings.folders):
        files: Any = await ls.scheduler.call(partial(ls.session.files, folder))
        for path in files:
            uri = uris.from_fs_path(path)
            if uri is None or uri in seen:
                continue
            seen.add(uri)
            document = ls.documents.opened(uri)
            if document is not None:
                analysis = await _shown(ls, uri)
            else:
                analysis = await ls.scheduler.run(partial(ls.session.analyse_file, path, uri))
            if analysis is None:
                continue
            items = items_of(ls, analysis).get(uri, [])
            name = diagnostics.fingerprint(items)
            version = document.version if document is not None else None
            if known.get(uri) == name:
                reports.append(
                    types.WorkspaceUnchangedDocumentDiagnosticReport(uri=uri, result_id=name, version=version)
                )
            elif items or uri in known:
                reports.append(
                    types.WorkspaceFullDocumentDiagnosticReport(uri=uri, items=items, result_id=name, version=version)
                )
    return types.WorkspaceDiagnosticReport(reports)


async def hover(ls: Server, params: types.HoverParams) -> types.Hover | None:
    """Show the page of what was found here."""
    uri = params.text_document.uri
    analysis = await ls.scheduler.analysis(ls.main_uri(uri)) if ls.is_ours(uri) else None
    if analysis is None:
        return None
    where = diagnostics.places(analysis, ls.units)
    at = where.offset(uri, params.position)
    found = [finding for finding in analysis.findings if finding.span.start <= at <= finding.span.end]
    place = where.range(found[0].span)[1] if found else None
    return diagnostics.hover(found, ls.session.catalog, place)


async def code_actions(ls: Server, params: types.CodeActionParams) -> list[types.CodeAction]:
    """Offer what can be done here."""
    uri = params.text_document.uri
    main = ls.main_uri(uri)
    analysis = await ls.scheduler.analysis(main) if ls.is_ours(uri) else None
    if analysis is None:
        return []
    only = params.context.only
    client = ls.session.settings.client(ls.path_of(main))
    found: list[types.CodeAction] = []
    if actions.wanted(only, types.CodeActionKind.QuickFix.value):
        found += _actions(ls, analysis).at(uri, params.range, client.disableRuleComment)
    if client.fixAll and actions.wanted(only, FIX_ALL):
        found.append(types.CodeAction("pitfall-lint: mend all that is safe to mend", kind=FIX_ALL, data={"uri": main}))
    if not ls.can("text_document.code_action.resolve_support"):
        found = [await resolve(ls, action) if action.data else action for action in found]
    return found


async def resolve(ls: Server, params: types.CodeAction) -> types.CodeAction:
    """Work out what an action that mends many findings would edit."""
    data: Any = params.data
    if not isinstance(data, dict) or not isinstance(data.get("uri"), str):
        return params
    uri = ls.main_uri(data["uri"])
    analysis = await ls.scheduler.analysis(uri)
    if analysis is None:
        return params
    unsafe, codes = bool(data.get("unsafe")), data.get("codes")
    edits: Any = await ls.scheduler.call(lambda: ls.session.fixed(analysis, unsafe=unsafe, codes=codes))
    params.edit = _actions(ls, analysis).edit(edits)
    return params


def _actions(ls: Server, analysis: Analysis) -> Actions:
    versions: dict[str, int | None] | None = None
    if ls.can("workspace.workspace_edit.document_changes"):
        addresses = [cell.uri for cell in analysis.snapshot.cells] or [analysis.snapshot.uri]
        versions = {uri: document.version for uri in addresses if (document := ls.documents.opened(uri))}
    return Actions(analysis, ls.session.catalog, diagnostics.places(analysis, ls.units), versions)


async def open_page(ls: Server, code: str) -> None:
    """Show the page of a rule in the browser, or say where it is."""
    rule: Rule | None = ls.session.catalog.find(code)
    if rule is None:
        return
    if ls.can("window.show_document.support"):
        await ls.window_show_document_async(types.ShowDocumentParams(uri=rule.url, external=True))
    else:
        ls.window_show_message(types.ShowMessageParams(types.MessageType.Info, rule.url))
