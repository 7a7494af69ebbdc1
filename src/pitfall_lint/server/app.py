"""The server itself: which message of the protocol does what."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Iterator
from typing import Any

from lsprotocol import types
from pygls import uris
from pygls.lsp.server import LanguageServer
from pygls.protocol import LanguageServerProtocol, default_converter

from pitfall_lint import __version__
from pitfall_lint.config import FILES
from pitfall_lint.server import settings as client_settings
from pitfall_lint.server.analysis import Analysis
from pitfall_lint.server.documents import PYTHON, Documents, Snapshot, encoded, joined
from pitfall_lint.server.scheduler import Scheduler
from pitfall_lint.server.session import Session
from pitfall_lint.source import Source

log = logging.getLogger(__name__)
_NOTEBOOKS = types.NotebookDocumentSyncOptions(
    notebook_selector=[
        types.NotebookDocumentFilterWithNotebook(notebook="*", cells=[types.NotebookCellLanguage(language="python")])
    ],
    save=True,
)
_WATCHED = ("**/*.py", "**/*.toml", "**/requirements*.txt", "**/*baseline*.txt", "**/*.lock")


class Protocol(LanguageServerProtocol):
    """pygls' protocol, which answers requests that can't be read instead of leaving the client waiting."""

    def structure_message(self, data: dict[str, Any]) -> Any:
        """Return a message as an object. Raises for what can't be read, after answering it."""
        try:
            return super().structure_message(data)
        except Exception:
            if isinstance(data.get("id"), (int, str)) and isinstance(data.get("method"), str):
                error = types.ResponseError(types.ErrorCodes.InvalidParams, "the parameters can't be read")
                self._send_response(data["id"], error=error)
            raise

    def _execute_handler(self, msg_id: Any, handler: Any, callback: Any, args: Any = None, kwargs: Any = None) -> None:
        """Let go of what is done: pygls keeps the futures of all notifications that there ever were."""
        super()._execute_handler(msg_id, handler, callback, args, kwargs)
        future = self._request_futures.get(msg_id)
        if future is not None:
            future.add_done_callback(lambda done: self._let_go(msg_id, done))

    def _let_go(self, msg_id: Any, done: Any) -> None:
        if not done.cancelled():  # pygls cancels those that are left while it goes through them
            self._request_futures.pop(msg_id, None)


class Server(LanguageServer):
    """The language server and what it knows."""

    def __init__(self) -> None:
        super().__init__(
            "pitfall-lint",
            __version__,
            notebook_document_sync=_NOTEBOOKS,
            protocol_cls=Protocol,
            converter_factory=default_converter,
        )
        self.session = Session(self.complain)
        self.scheduler = Scheduler(self.session, self.snapshot, self.publish)
        self.scheduler.on_dependents = self.refresh
        self.loop: asyncio.AbstractEventLoop | None = None
        self._refreshing = False
        self.initial = client_settings.ClientSettings()
        """What the editor said at the start; it counts until it says something else when asked."""

    @property
    def was_shut_down(self) -> bool:
        """Whether the client said goodbye as it should."""
        return bool(self.protocol._shutdown)

    # What the client can do

    @property
    def documents(self) -> Documents:
        """The open documents."""
        assert isinstance(self.workspace, Documents)
        return self.workspace

    @property
    def units(self) -> str:
        """The units in which the client counts characters."""
        return str(getattr(self.workspace.position_encoding, "value", self.workspace.position_encoding))

    @property
    def pulls(self) -> bool:
        """Whether the client asks for diagnostics; then they are not pushed as well."""
        text = self.client_capabilities.text_document
        return text is not None and text.diagnostic is not None

    def can(self, path: str) -> bool:
        """Tell whether the client has a capability, given as a dotted path of attributes."""
        value: Any = self.client_capabilities
        for name in path.split("."):
            value = getattr(value, name, None)
        return bool(value)

    # Talking to people

    def complain(self, text: str) -> None:
        """Show a message about something that is wrong with settings; callable from any thread."""
        log.warning("%s", text)
        if self.loop is not None:
            params = types.ShowMessageParams(types.MessageType.Error, f"pitfall-lint: {text}")
            self.loop.call_soon_threadsafe(self.window_show_message, params)

    def report_server_error(self, error: Exception, source: Any) -> None:
        """Log what went wrong with a message; a popup for each would be noise."""
        log.error("%s: %s", getattr(source, "__name__", source), error)
        params = types.LogMessageParams(types.MessageType.Error, f"pitfall-lint: {error}")
        self.window_log_message(params)

    # Documents

    def main_uri(self, uri: str) -> str:
        """Return the address under which a document is analysed: a cell's is its notebook's."""
        notebook = self.documents.notebook_of(uri)
        return notebook.uri if notebook is not None else uri

    def is_ours(self, uri: str) -> bool:
        """Tell whether an open document is Python; stubs have nothing that runs."""
        document = self.documents.opened(uri)
        if document is None or uri.endswith(".pyi"):
            return False
        return (document.language_id or "") in PYTHON or uri.endswith((".py", ".pyw"))

    def path_of(self, uri: str) -> str:
        """Return an absolute path for a document; one that was never saved stands in the first folder."""
        path = uris.to_fs_path(uri) if uri.startswith("file:") else None
        if path:
            return os.path.abspath(path)
        folder = next(iter(self.session.settings.folders), os.getcwd())
        name = uri.rpartition(":")[2].rpartition("/")[2] or "untitled"
        return os.path.join(folder, name if name.endswith(".py") else f"{name}.py")

    def snapshot(self, uri: str) -> Snapshot | None:
        """Return the text of an open document or notebook as it is now."""
        path, key = self.path_of(uri), self.scheduler.key(uri)
        notebook = self.documents.get_notebook_document(notebook_uri=uri)
        if notebook is not None:
            cells = []
            for cell in notebook.cells:
                document = self.documents.opened(cell.document)
                if document is not None and cell.kind == types.NotebookCellKind.Code:
                    if (document.language_id or "python") == "python":
                        cells.append((cell.document, document.source))
            text, found = joined(cells)
            return Snapshot(uri, path, encoded(path, text), key, notebook.version, found)
        document = self.documents.opened(uri)
        if document is None or not self.is_ours(uri):
            return None
        return Snapshot(uri, path, encoded(path, document.source), key, document.version)

    def overlay(self, uri: str) -> None:
        """Let other files see the unsaved text of a document."""
        document = self.documents.opened(uri)
        if document is not None and uri.startswith("file:") and self.is_ours(uri):
            path, text = self.path_of(uri), document.source
            self.session.overlay[path] = lambda: encoded(path, text)

    def open_uris(self) -> Iterator[str]:
        """Yield the addresses under which open documents are analysed."""
        seen = set()
        for document in list(self.documents.text_documents.values()):
            uri = self.main_uri(document.uri)
            if uri not in seen and (uri != document.uri or self.is_ours(uri)):
                seen.add(uri)
                yield uri

    def source_of(self, path: str) -> Source | None:
        """Return the text of another file, for places in it."""
        unsaved = self.session.overlay.get(path)
        if unsaved is not None:
            return unsaved()
        try:
            with open(path, "rb") as stream:
                return Source(path, stream.read())
        except OSError:
            return None

    # Findings

    def publish(self, uri: str, analysis: Analysis) -> None:
        """Push the findings of a document; a client that asks for them itself is told to when it would not know."""
        if self.pulls:
            if self.session.settings.client(self.path_of(uri)).run == "onSave":
                self.refresh()
            return
        from pitfall_lint.server.features import items_of

        for each, items in items_of(self, analysis).items():
            version = None if analysis.snapshot.cells else analysis.snapshot.version
            self.text_document_publish_diagnostics(
                types.PublishDiagnosticsParams(uri=each, diagnostics=items, version=version)
            )

    def refresh(self) -> None:
        """Ask a client that pulls to ask again, soon and once."""
        if self.pulls and self.can("workspace.diagnostics.refresh_support") and not self._refreshing:
            self._refreshing = True
            asyncio.get_running_loop().call_later(0.05, self._refresh)

    def _refresh(self) -> None:
        self._refreshing = False
        self.workspace_diagnostic_refresh(None)

    # Settings

    def read_folders(self) -> None:
        """Note the workspace's folders; what the editor says for each is asked for later."""
        known = self.session.settings.folders
        folders = [uris.to_fs_path(folder.uri) for folder in self.documents.folders.values()]
        if not folders and self.workspace.root_path:
            folders = [self.workspace.root_path]
        paths = [os.path.abspath(folder) for folder in folders if folder]
        self.session.settings.folders = {path: known.get(path, self.session.settings.everywhere) for path in paths}

    def use_options(self, options: Any) -> None:
        """Take the settings that came with the start: for all folders, or `{"settings": …}`."""
        if isinstance(options, dict):
            table = options.get("settings", options)
            table = table.get(client_settings.SECTION, table) if isinstance(table, dict) else table
            self.initial = client_settings.read(table or None, self.complain)
            self.session.settings.everywhere = self.initial
            self.session.settings.folders = dict.fromkeys(self.session.settings.folders, self.initial)

    async def ask_settings(self) -> None:
        """Ask the editor for its settings of every folder, and look at everything again when they changed."""
        if not self.can("workspace.configuration"):
            return
        settings = self.session.settings
        folders = list(settings.folders)
        items = [types.ConfigurationItem(scope_uri=uris.from_fs_path(f), section="pitfall-lint") for f in folders]
        items.append(types.ConfigurationItem(section=client_settings.SECTION))
        try:
            answers = await self.workspace_configuration_async(types.ConfigurationParams(items))
        except Exception as error:  # an editor that says it can and can't
            log.warning("the editor did not tell its settings: %s", error)
            return
        before = (dict(settings.folders), settings.everywhere)
        told = [client_settings.read(a, self.complain) if a is not None else self.initial for a in answers]
        settings.folders.update(zip(folders, told, strict=False))
        if len(told) == len(items):
            settings.everywhere = told[-1]
        if before != (settings.folders, settings.everywhere):
            await self.reload()

    async def reload(self) -> None:
        """Read all settings anew and look at everything again."""
        await self.scheduler.call(self.session.reload)
        self.scheduler.invalidate(self.open_uris())
        self.refresh()

    def watch_files(self) -> None:
        """Ask the editor to tell of changed files."""
        if not self.can("workspace.did_change_watched_files.dynamic_registration"):
            return
        patterns = [*_WATCHED, *(f"**/{name}" for name in FILES)]
        watchers = [types.FileSystemWatcher(pattern) for pattern in patterns]
        options = types.DidChangeWatchedFilesRegistrationOptions(watchers)
        wish = types.Registration("pitfall-lint-files", types.WORKSPACE_DID_CHANGE_WATCHED_FILES, options)
        self.client_register_capability(types.RegistrationParams([wish]))
