"""The language server over standard input and output, as an editor drives it."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pygls")
pytest_lsp = pytest.importorskip("pytest_lsp")

from lsprotocol import types  # noqa: E402
from pytest_lsp import ClientServerConfig, LanguageClient, client_capabilities  # noqa: E402

COMMAND = [sys.executable, "-m", "pitfall_lint", "server"]
CALL = "    asyncio.create_task(save())"
BAD = f"import asyncio\n\n\nasync def main(save):\n{CALL}\n"
STRICT = "import asyncio\n\n\ndef work():\n    pass\n"


async def until(test: Callable[[], bool]) -> None:
    """Wait until something holds; what never does fails."""
    for _ in range(2000):
        if test():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it never came")


class Editor:
    """A client with short words for what a test does."""

    def __init__(self, client: LanguageClient, root: Path) -> None:
        self.client = client
        self.root = root
        self.versions: dict[str, int] = {}

    def uri(self, name: str) -> str:
        return (self.root / name).as_uri()

    def write(self, name: str, text: str) -> str:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
        return path.as_uri()

    def open(self, name: str, text: str, language: str = "python", uri: str | None = None) -> str:
        uri = uri or self.uri(name)
        self.versions[uri] = 1
        item = types.TextDocumentItem(uri=uri, language_id=language, version=1, text=text)
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(item))
        return uri

    def change(self, uri: str, text: str, place: types.Range | None = None) -> None:
        self.versions[uri] = self.versions.get(uri, 0) + 1
        event: Any = types.TextDocumentContentChangeWholeDocument(text)
        if place is not None:
            event = types.TextDocumentContentChangePartial(range=place, text=text)
        name = types.VersionedTextDocumentIdentifier(version=self.versions[uri], uri=uri)
        self.client.text_document_did_change(types.DidChangeTextDocumentParams(name, [event]))

    def close(self, uri: str) -> None:
        self.client.text_document_did_close(types.DidCloseTextDocumentParams(types.TextDocumentIdentifier(uri)))

    def save(self, uri: str) -> None:
        self.client.text_document_did_save(types.DidSaveTextDocumentParams(types.TextDocumentIdentifier(uri)))

    async def asked_to_pull(self, before: int = 0) -> int:
        """Wait until the server has asked to pull again, and return how often it has so far."""
        await until(lambda: self.client.diagnostic_refresh_count > before)
        return int(self.client.diagnostic_refresh_count)

    async def pushed(self, uri: str, codes: list[str] | None = None) -> list[types.Diagnostic]:
        """Wait for what is published for a document, until it has these codes."""
        for _ in range(2000):
            found = self.client.diagnostics.get(uri)
            if found is not None and (codes is None or [d.code for d in found] == codes):
                return list(found)
            await asyncio.sleep(0.02)
        raise AssertionError(f"{uri}: {self.client.diagnostics.get(uri)} instead of {codes}")

    async def pull(self, uri: str, previous: str | None = None) -> Any:
        return await self.client.text_document_diagnostic_async(
            types.DocumentDiagnosticParams(
                types.TextDocumentIdentifier(uri), identifier="pitfall-lint", previous_result_id=previous
            )
        )

    async def actions(self, uri: str, place: types.Range, only: list[str] | None = None) -> list[Any]:
        context = types.CodeActionContext(diagnostics=[], only=only)
        params = types.CodeActionParams(types.TextDocumentIdentifier(uri), place, context)
        found = await self.client.text_document_code_action_async(params)
        return list(found or [])

    async def hover(self, uri: str, line: int, character: int) -> str | None:
        params = types.HoverParams(types.TextDocumentIdentifier(uri), types.Position(line, character))
        found = await self.client.text_document_hover_async(params)
        return found.contents.value if found else None

    async def resolved(self, action: types.CodeAction) -> types.CodeAction:
        if action.edit is None and action.data is not None:
            return await self.client.code_action_resolve_async(action)
        return action


def apply(text: str, edit: types.WorkspaceEdit, uri: str, units: str = "utf-16") -> str:
    """Return the text after an edit, as an editor applies it."""
    edits: list[Any] = []
    for change in edit.document_changes or []:
        if change.text_document.uri == uri:
            edits += change.edits
    edits += (edit.changes or {}).get(uri, [])
    lines = text.replace("\r\n", "\n\r").split("\n")
    assert edits
    starts = [0]
    for each in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(each))
    assert lines

    def offset(position: types.Position) -> int:
        if position.line >= len(starts) - 1:
            return len(text)
        line = text[starts[position.line] : starts[position.line + 1]]
        codec, width = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}[units]
        return starts[position.line] + len(line.encode(codec)[: position.character * width].decode(codec))

    places = sorted(
        ((offset(e.range.start), offset(e.range.end), number, e.new_text) for number, e in enumerate(edits)),
        key=lambda each: (each[0], each[2]),
    )
    result, at = "", 0
    for start, end, _, new in places:
        assert start >= at, "edits overlap"
        result += text[at:start] + new
        at = end
    return result + text[at:]


def span(line: int, first: int, last: int) -> types.Range:
    return types.Range(types.Position(line, first), types.Position(line, last))


def capabilities(pull: bool = False, encodings: list[str] | None = None) -> types.ClientCapabilities:
    found = client_capabilities("visual-studio-code")
    assert found.text_document is not None
    assert found.workspace is not None
    cells = types.NotebookDocumentSyncClientCapabilities(dynamic_registration=True)
    found.notebook_document = types.NotebookDocumentClientCapabilities(synchronization=cells)
    found.workspace.diagnostics = types.DiagnosticWorkspaceClientCapabilities(refresh_support=True)
    found.text_document.diagnostic = types.DiagnosticClientCapabilities() if pull else None
    if encodings is not None:
        found.general = types.GeneralClientCapabilities(position_encodings=encodings)
    return found


async def start(
    client: LanguageClient,
    roots: list[Path],
    options: Any = None,
    pull: bool = False,
    encodings: list[str] | None = None,
) -> types.InitializeResult:
    folders = [types.WorkspaceFolder(root.as_uri(), root.name) for root in roots]
    return await client.initialize_session(
        types.InitializeParams(
            capabilities=capabilities(pull, encodings),
            root_uri=roots[0].as_uri() if roots else None,
            workspace_folders=folders or None,
            initialization_options=options,
        )
    )


@pytest_lsp.fixture(config=ClientServerConfig(server_command=COMMAND))
async def client(lsp_client: LanguageClient) -> AsyncIterator[None]:
    """A client whose session each test begins in its own way."""
    lsp_client.feature(types.CLIENT_REGISTER_CAPABILITY)(lambda params: None)
    yield
    await lsp_client.shutdown_session()


@pytest.fixture
def editor(client: LanguageClient, tmp_path: Path) -> Editor:
    return Editor(client, tmp_path)


FULL = "pitfall_lint"


@pytest.mark.asyncio
async def test_capabilities(editor: Editor) -> None:
    result = await start(editor.client, [editor.root])
    found = result.capabilities
    assert result.server_info is not None
    assert result.server_info.name == "pitfall-lint"
    assert found.diagnostic_provider is not None
    assert found.diagnostic_provider.inter_file_dependencies is True
    assert found.diagnostic_provider.workspace_diagnostics is True
    assert found.hover_provider
    assert found.code_action_provider
    assert "source.fixAll.pitfall-lint" in found.code_action_provider.code_action_kinds
    assert found.notebook_document_sync is not None


@pytest.mark.asyncio
async def test_push(editor: Editor) -> None:
    await start(editor.client, [editor.root])
    uri = editor.open("a.py", BAD)
    (found,) = await editor.pushed(uri, ["PIT301"])
    assert found.range == span(4, 4, 31)
    assert found.severity == types.DiagnosticSeverity.Error
    assert found.source == "pitfall-lint"
    assert found.code_description is not None
    assert found.code_description.href.endswith("/rules/tasks/lost-task-exception.md")
    editor.change(uri, "await save()", span(4, 4, 31))
    assert await editor.pushed(uri, []) == []
    editor.change(uri, BAD)
    await editor.pushed(uri, ["PIT301"])
    editor.close(uri)
    await editor.pushed(uri, [])


@pytest.mark.asyncio
async def test_pull(editor: Editor) -> None:
    await start(editor.client, [editor.root], pull=True)
    uri = editor.open("a.py", BAD)
    first = await editor.pull(uri)
    assert [item.code for item in first.items] == ["PIT301"]
    again = await editor.pull(uri, first.result_id)
    assert again.kind == "unchanged"
    editor.change(uri, "x = 1\n")
    assert not (await editor.pull(uri, first.result_id)).items


@pytest.mark.asyncio
async def test_pull_sees_other_files(editor: Editor) -> None:
    """What is pulled for one file depends on unsaved edits of another."""
    editor.write("store.py", "def save(): ...\n")
    await start(editor.client, [editor.root], pull=True)
    user = editor.open("user.py", "from store import save\n\n\nasync def main():\n    save()\n")
    first = await editor.pull(user)
    assert not first.items
    store = editor.open("store.py", "def save(): ...\n")
    editor.change(store, "async def save(): ...\n")
    assert [item.code for item in (await editor.pull(user, first.result_id)).items] == ["PIT302"]


@pytest.mark.asyncio
async def test_workspace_pull(editor: Editor) -> None:
    bad, other = editor.write("bad.py", BAD), editor.write("pkg/other.py", BAD)
    editor.write("good.py", "x = 1\n")
    editor.write(".venv/lib/bad.py", BAD)
    await start(editor.client, [editor.root], pull=True)
    editor.open("pkg/other.py", "x = 1\n")

    async def pull(known: list[types.PreviousResultId]) -> dict[str, Any]:
        report = await editor.client.workspace_diagnostic_async(types.WorkspaceDiagnosticParams(known))
        return {item.uri: item for item in report.items}

    found = await pull([])
    assert {uri: [d.code for d in item.items] for uri, item in found.items()} == {bad: ["PIT301"]}
    known = [types.PreviousResultId(bad, found[bad].result_id)]
    assert (await pull(known))[bad].kind == "unchanged"
    editor.change(other, BAD)
    assert [d.code for d in (await pull(known))[other].items] == ["PIT301"]
    editor.write("bad.py", "x = 1\n")
    assert not (await pull(known))[bad].items


@pytest.mark.asyncio
async def test_quick_fixes(editor: Editor) -> None:
    await start(editor.client, [editor.root])
    uri = editor.open("a.py", BAD)
    await editor.pushed(uri, ["PIT301"])
    found = await editor.actions(uri, span(4, 10, 10), ["quickfix"])
    titles = [action.title for action in found]
    assert titles[0] == "Keep the task and log what it raises (PIT301, unsafe)"
    assert titles[1] == "Await it here (PIT301, unsafe)"
    assert "Disable PIT301 for this line" in titles
    assert titles[-1] == "Open the page of lost-task-exception (PIT301)"
    assert "pitfall-lint.openPage" in str(found[-1].command)
    assert apply(BAD, found[1].edit, uri) == BAD.replace("asyncio.create_task(save())", "await save()")
    kept = apply(BAD, found[0].edit, uri)
    editor.change(uri, kept)
    await editor.pushed(uri, [])
    assert found[0].edit.document_changes[0].text_document.version == 1


@pytest.mark.asyncio
async def test_disable_merges(editor: Editor) -> None:
    await start(editor.client, [editor.root])
    text = BAD.replace(CALL, CALL + "  # noqa: E501")
    uri = editor.open("a.py", text)
    await editor.pushed(uri, ["PIT301"])
    (action,) = [a for a in await editor.actions(uri, span(4, 10, 10)) if a.title.endswith("for this line")]
    result = apply(text, action.edit, uri)
    assert result.splitlines()[4] == CALL + "  # noqa: E501, PIT301"
    editor.change(uri, result)
    await editor.pushed(uri, [])


UNAWAITED = "async def save(): ...\n\n\nasync def main():\n    save()\n    save()\n\n\nasync def other():\n    save()\n"


@pytest.mark.asyncio
async def test_fix_all(editor: Editor) -> None:
    await start(editor.client, [editor.root])
    text = UNAWAITED.replace(
        "async def other():\n", "async def other():\n    import asyncio\n    asyncio.create_task(save())\n"
    )
    text = text.replace("save(): ...", "save(): raise OSError")
    uri = editor.open("a.py", text)
    codes = [d.code for d in await editor.pushed(uri)]
    assert codes.count("PIT302") == 3
    (action,) = await editor.actions(uri, span(0, 0, 0), ["source.fixAll.pitfall-lint"])
    assert action.kind == "source.fixAll.pitfall-lint"
    result = apply(text, (await editor.resolved(action)).edit, uri)
    assert result == text.replace("    save()\n", "    await save()\n"), "safe fixes only"
    assert await editor.actions(uri, span(0, 0, 0), ["source.organizeImports"]) == []
    assert len(await editor.actions(uri, span(0, 0, 0), ["source"])) == 1
    every = [a for a in await editor.actions(uri, span(4, 5, 5), ["quickfix"]) if a.title.startswith("Fix all")]
    assert [a.title for a in every] == ["Fix all 3 unawaited-coroutine (PIT302) in this file"]
    assert apply(text, (await editor.resolved(every[0])).edit, uri) == result


@pytest.mark.asyncio
async def test_safe_fixes_are_preferred(editor: Editor) -> None:
    await start(editor.client, [editor.root])
    uri = editor.open("a.py", UNAWAITED)
    await editor.pushed(uri)
    found = await editor.actions(uri, span(4, 5, 5), ["quickfix"])
    preferred = [a.title for a in found if getattr(a, "is_preferred", None)]
    assert preferred == [found[0].title]


@pytest.mark.asyncio
async def test_hover(editor: Editor) -> None:
    await start(editor.client, [editor.root])
    uri = editor.open("a.py", BAD)
    text = await editor.hover(uri, 4, 20)
    assert text is not None
    for piece in (
        "PIT301",
        "Task exception was never retrieved",
        "**Why**",
        "**Fixed** (unsafe fix)",
        "lost-task-exception.md",
    ):
        assert piece in text
    assert await editor.hover(uri, 0, 3) is None


@pytest.mark.asyncio
@pytest.mark.parametrize("units", ["utf-8", "utf-16", "utf-32"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
async def test_positions(editor: Editor, units: str, newline: str) -> None:
    """Characters beyond the BMP stand before the finding, and lines end as they like."""
    result = await start(editor.client, [editor.root], encodings=[units])
    assert result.capabilities.position_encoding == units
    head = "    s = '𝒳é\f'; "
    text = BAD.replace("    asyncio.", head + "asyncio.").replace("\n", newline)
    uri = editor.open("a.py", text)
    (found,) = await editor.pushed(uri, ["PIT301"])
    width = {"utf-8": len(head.encode()), "utf-16": len(head) + 1, "utf-32": len(head)}[units]
    assert found.range == span(4, width, width + 27)
    action = (await editor.actions(uri, span(4, width + 2, width + 2)))[1]
    mended = text.replace("asyncio.create_task(save())", "await save()")
    # splitlines of the test's own editor would cut at the form feed
    assert apply(text.replace("\f", "?"), action.edit, uri, units) == mended.replace("\f", "?")
    editor.change(uri, "1", span(4, width, width + 27))
    await editor.pushed(uri, [])
    editor.change(uri, "asyncio.create_task(save())", span(4, width, width + 1))
    (again,) = await editor.pushed(uri, ["PIT301"])
    assert again.range == found.range


@pytest.mark.asyncio
async def test_run_on_save(editor: Editor) -> None:
    """With `onSave` an edit changes nothing but places; a save does."""
    await start(editor.client, [editor.root], {"settings": {"run": "onSave"}})
    uri = editor.open("a.py", BAD)
    await editor.pushed(uri, ["PIT301"])
    editor.client.diagnostics.pop(uri)
    editor.change(uri, "x = 1\n")
    assert await editor.hover(uri, 0, 0) is None  # the server has read the edit
    assert uri not in editor.client.diagnostics
    editor.save(uri)
    assert await editor.pushed(uri) == []


@pytest.mark.asyncio
async def test_run_on_save_for_clients_that_pull(editor: Editor) -> None:
    await start(editor.client, [editor.root], {"settings": {"run": "onSave"}}, pull=True)
    uri = editor.open("a.py", BAD)
    first = await editor.pull(uri)
    assert [item.code for item in first.items] == ["PIT301"]
    asked = await editor.asked_to_pull()
    editor.change(uri, f"import os\n{BAD}    asyncio.create_task(save(1))\n")
    assert await editor.hover(uri, 6, 20), "whoever asks for a hover gets what is there now"
    (moved,) = (await editor.pull(uri)).items
    assert moved.range == span(5, 4, 31)
    editor.save(uri)
    await editor.asked_to_pull(asked)
    assert len((await editor.pull(uri)).items) == 2


@pytest.mark.asyncio
async def test_clients_that_pull_are_asked_to_pull_again(editor: Editor) -> None:
    """An edit of one file changes the findings of an open one: its client is told, once typing pauses."""
    editor.write("store.py", "def save(): ...\n")
    await start(editor.client, [editor.root], pull=True)
    user = editor.open("user.py", "from store import save\n\n\nasync def main():\n    save()\n")
    assert not (await editor.pull(user)).items
    store = editor.open("store.py", "def save(): ...\n")
    editor.change(store, "async def save(): ...\n")
    await editor.asked_to_pull()
    assert [item.code for item in (await editor.pull(user)).items] == ["PIT302"]


@pytest.mark.asyncio
async def test_known_findings_are_hints(editor: Editor) -> None:
    """What the baseline knows is shown without alarm, and `fix all` leaves it alone."""
    from pitfall_lint.cli import run

    text = UNAWAITED
    editor.write("a.py", text)
    editor.write("pyproject.toml", "[tool.pitfall-lint]\nbaseline = 'known.txt'\n")
    here = Path.cwd()
    os.chdir(editor.root)
    try:
        assert run(["--write-baseline", "-q"]) == 0
    finally:
        os.chdir(here)
    await start(editor.client, [editor.root])
    more = text + "\n\nasync def later():\n    save()\n    return 1\n"
    uri = editor.open("a.py", more)
    found = await editor.pushed(uri, ["PIT302"] * 4)
    known, new = types.DiagnosticSeverity.Information, found[3].severity
    assert [item.severity for item in found] == [known, known, known, new]
    assert new != known
    (action,) = await editor.actions(uri, span(0, 0, 0), ["source.fixAll.pitfall-lint"])
    mended = apply(more, (await editor.resolved(action)).edit, uri)
    assert mended == text + "\n\nasync def later():\n    await save()\n    return 1\n"
    event = types.FileEvent(editor.write("known.txt", ""), types.FileChangeType.Changed)
    editor.client.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams([event]))
    await until(lambda: [item.severity for item in editor.client.diagnostics[uri]] == [new] * 4)


@pytest.mark.asyncio
async def test_half_typed(editor: Editor) -> None:
    """While one line is typed the findings of other definitions stay where they are."""
    await start(editor.client, [editor.root])
    text = BAD + "\n\ndef other():\n    pass\n" + BAD.partition("\n\n\n")[2].replace("main", "late")
    uri = editor.open("a.py", text)
    await editor.pushed(uri, ["PIT301", "PIT301"])
    at = types.Range(types.Position(8, 8), types.Position(8, 8))
    seen: list[list[Any]] = []
    editor.client.diagnostics.pop(uri)
    for number, char in enumerate("\n    x = (1, [2"):
        editor.change(uri, char, at if number == 0 else _after(at, number))
        seen.append([d.code for d in await editor.pushed(uri)])
        await asyncio.sleep(0.05)
    final = await editor.pushed(uri, ["PIT301", "PIT001", "PIT301"])
    assert final[0].range == span(4, 4, 31)
    assert final[2].range.start.line == 11
    assert all(codes.count("PIT301") == 2 for codes in seen), "findings flicker"


def _after(at: types.Range, number: int) -> types.Range:
    """Return where the n-th character of `"\\n    x = …"` goes."""
    place = types.Position(at.start.line + 1, number - 1)
    return types.Range(place, place)


@pytest.mark.asyncio
async def test_broken_import_line_does_not_hide_everything(editor: Editor) -> None:
    await start(editor.client, [editor.root])
    uri = editor.open("a.py", BAD)
    await editor.pushed(uri, ["PIT301"])
    editor.change(uri, "from x import (\n", types.Range(types.Position(1, 0), types.Position(1, 0)))
    found = await editor.pushed(uri, ["PIT001", "PIT301"])
    assert found[1].range == span(5, 4, 31)


@pytest.mark.asyncio
async def test_unsaved_texts_are_inputs_of_other_files(editor: Editor) -> None:
    """An edit in one file, never saved, changes the findings of an open file that imports it."""
    editor.write("store.py", "def save(): ...\n")
    await start(editor.client, [editor.root])
    user = editor.open("user.py", "from store import save\n\n\nasync def main():\n    save()\n")
    await editor.pushed(user, [])
    store = editor.open("store.py", "def save(): ...\n")
    editor.change(store, "async def save(): ...\n")
    await editor.pushed(user, ["PIT302"])
    editor.close(store)
    await editor.pushed(user, [])


@pytest.mark.asyncio
async def test_changes_on_disk(editor: Editor) -> None:
    uri = editor.write("store.py", "def save(): ...\n")
    await start(editor.client, [editor.root])
    user = editor.open("user.py", "from store import save\n\n\nasync def main():\n    save()\n")
    await editor.pushed(user, [])
    editor.write("store.py", "async def save(): ...\n")
    change = types.FileEvent(uri, types.FileChangeType.Changed)
    editor.client.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams([change]))
    await editor.pushed(user, ["PIT302"])


@pytest.mark.asyncio
async def test_two_roots(editor: Editor) -> None:
    one, two = editor.root / "one", editor.root / "two"
    editor.write("one/pyproject.toml", "[tool.pitfall-lint]\nignore = ['PIT301']\n")
    editor.write("two/pitfall-lint.toml", "select = ['PIT301']\n")
    await start(editor.client, [one, two])
    first, second = editor.open("one/a.py", BAD), editor.open("two/a.py", BAD)
    await editor.pushed(second, ["PIT301"])
    await editor.pushed(first, [])


@pytest.mark.asyncio
async def test_settings_are_reloaded_and_errors_shown(editor: Editor) -> None:
    config = editor.write("pyproject.toml", "[tool.pitfall-lint]\nignore = ['PIT301']\n")
    await start(editor.client, [editor.root])
    uri = editor.open("a.py", BAD)
    await editor.pushed(uri, [])

    def told() -> None:
        event = types.FileEvent(config, types.FileChangeType.Changed)
        editor.client.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams([event]))

    editor.write("pyproject.toml", "[tool.pitfall-lint]\n")
    told()
    await editor.pushed(uri, ["PIT301"])
    editor.write("pyproject.toml", "[tool.pitfall-lint]\nignroe = ['PIT301']\n")
    told()
    await until(lambda: bool(editor.client.messages))
    (message,) = editor.client.messages
    assert "unknown key 'ignroe', did you mean 'ignore'?" in message.message
    editor.change(uri, BAD + "\n")
    assert await editor.hover(uri, 4, 20)
    await editor.pushed(uri, ["PIT301"])
    assert len(editor.client.messages) == 1, "an error is said once"


@pytest.mark.asyncio
async def test_settings_of_the_editor(editor: Editor) -> None:
    await start(editor.client, [editor.root], {"settings": {"ignore": ["PIT301"], "selekt": ["PIT5"]}})
    uri = editor.open("a.py", BAD)
    await editor.pushed(uri, [])
    assert "unknown editor setting 'selekt', did you mean 'select'?" in editor.client.messages[0].message


@pytest.mark.asyncio
async def test_settings_are_asked_for(editor: Editor) -> None:
    editor.client.set_configuration({"pitfall-lint": {"ignore": ["PIT301"]}})
    await start(editor.client, [editor.root])
    uri = editor.open("a.py", BAD)
    await editor.pushed(uri, [])
    editor.client.set_configuration({"pitfall-lint": {}})
    editor.client.workspace_did_change_configuration(types.DidChangeConfigurationParams({}))
    await editor.pushed(uri, ["PIT301"])


@pytest.mark.asyncio
async def test_files_that_are_not_ours(editor: Editor) -> None:
    await start(editor.client, [editor.root])
    stub = editor.open("a.pyi", BAD)
    other = editor.open("a.txt", BAD, "plaintext")
    unsaved = editor.open("", BAD, uri="untitled:Untitled-1")
    outside = editor.open("", BAD, uri="file:///nowhere/at/all.py")
    await editor.pushed(unsaved, ["PIT301"])
    await editor.pushed(outside, ["PIT301"])
    assert stub not in editor.client.diagnostics
    assert other not in editor.client.diagnostics


@pytest.mark.asyncio
async def test_excluded_files_are_left_alone(editor: Editor) -> None:
    editor.write("build/gen.py", BAD)
    editor.write("pyproject.toml", "[tool.pitfall-lint]\nextend-exclude = ['build']\n")
    await start(editor.client, [editor.root])
    uri = editor.open("build/gen.py", BAD)
    assert await editor.pushed(uri) == []


@pytest.mark.asyncio
async def test_notebook(editor: Editor) -> None:
    """Cells are one module: an import in the first counts in the second; magics are no syntax errors."""
    await start(editor.client, [editor.root])
    cells = [
        "%matplotlib inline\nimport asyncio\n!ls",
        "%%bash\necho (",
        "async def main(save):\n    asyncio.create_task(save())",
    ]
    names = [f"{editor.uri('n.ipynb')}#c{number}" for number in range(len(cells))]
    editor.client.notebook_document_did_open(
        types.DidOpenNotebookDocumentParams(
            notebook_document=types.NotebookDocument(
                uri=editor.uri("n.ipynb"),
                notebook_type="jupyter-notebook",
                version=1,
                cells=[types.NotebookCell(types.NotebookCellKind.Code, name) for name in names],
            ),
            cell_text_documents=[
                types.TextDocumentItem(uri=name, language_id="python", version=1, text=text)
                for name, text in zip(names, cells, strict=True)
            ],
        )
    )
    (found,) = await editor.pushed(names[2], ["PIT301"])
    assert found.range == span(1, 4, 31)
    assert await editor.pushed(names[0]) == []
    action = (await editor.actions(names[2], found.range))[1]
    assert apply(cells[2], action.edit, names[2]) == "async def main(save):\n    await save()"
    edited = types.NotebookDocumentCellContentChanges(
        types.VersionedTextDocumentIdentifier(version=2, uri=names[2]),
        [types.TextDocumentContentChangeWholeDocument("x = 1")],
    )
    editor.client.notebook_document_did_change(
        types.DidChangeNotebookDocumentParams(
            types.VersionedNotebookDocumentIdentifier(version=2, uri=editor.uri("n.ipynb")),
            types.NotebookDocumentChangeEvent(cells=types.NotebookDocumentCellChanges(text_content=[edited])),
        )
    )
    await editor.pushed(names[2], [])


@pytest.mark.asyncio
async def test_unused_noqa(editor: Editor) -> None:
    await start(editor.client, [editor.root])
    uri = editor.open("a.py", "x = 1  # noqa: PIT301\n")
    (found,) = await editor.pushed(uri, ["PIT002"])
    assert list(found.tags or []) == [types.DiagnosticTag.Unnecessary]
    action = (await editor.actions(uri, found.range))[0]
    assert apply("x = 1  # noqa: PIT301\n", action.edit, uri) == "x = 1\n"


@pytest.mark.asyncio
async def test_related_places(editor: Editor) -> None:
    await start(editor.client, [editor.root])
    text = "import asyncio\n\n\nasync def save():\n    raise OSError\n\n\nasync def main():\n    asyncio.create_task(save())\n"
    uri = editor.open("a.py", text)
    (found,) = await editor.pushed(uri, ["PIT301"])
    (place,) = found.related_information or []
    assert place.location.uri == uri
    assert place.location.range.start.line == 4


@pytest.mark.asyncio
async def test_garbage(editor: Editor) -> None:
    """Whatever comes in, the server goes on."""
    client = editor.client
    await start(client, [editor.root])
    writer = client.protocol.writer

    async def send(body: bytes) -> None:
        result = writer.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        if asyncio.iscoroutine(result):
            await result

    await send(b"{ this is no JSON")
    await send(json.dumps({"jsonrpc": "1.0", "method": "textDocument/didOpen", "params": {}}).encode())
    await send(json.dumps({"jsonrpc": "2.0", "method": "textDocument/didOpen", "params": {"a": 1}}).encode())
    await send(json.dumps({"jsonrpc": "2.0", "method": "no/such/thing", "params": None}).encode())
    await send(json.dumps({"jsonrpc": "2.0", "id": "mine", "method": "textDocument/hover", "params": 7}).encode())
    editor.change("file:///never/opened.py", "x")
    editor.change("not a uri", "x", span(3, 4, 5))
    editor.close("file:///never/opened.py")
    assert await editor.hover("file:///never/opened.py", 1, 1) is None
    assert await editor.actions("http://[broken", span(0, 0, 1)) == []
    assert not (await editor.pull("file:///never/opened.py")).items
    big = editor.open("big.py", "x = 'some text of no interest'\n" * 350_000 + BAD)
    editor.change(big, "y", span(10_000_000, 0, 9))
    twice = [editor.open("twice.py", BAD), editor.open("twice.py", BAD)]
    for version in (1, -7, 0):  # none of them is later than what was said before
        editor.versions[twice[0]] = version
        editor.change(twice[0], BAD)
    wrong = {"textDocument": {"uri": twice[0], "version": "seven"}, "contentChanges": [{"text": "x"}]}
    await send(json.dumps({"jsonrpc": "2.0", "method": "textDocument/didChange", "params": wrong}).encode())
    await editor.pushed(twice[0], ["PIT301"])
    editor.close(twice[0])
    editor.change(twice[0], "x = 1\n")
    many = [editor.open(f"many{number}.py", BAD) for number in range(200)]
    for uri in many:
        await editor.pushed(uri, ["PIT301"])
    editor.change(many[0], "", span(4, 100, 3))
    for uri in many:
        editor.close(uri)
    last = editor.open("last.py", BAD)
    await editor.pushed(last, ["PIT301"])
    await editor.pushed(big, [])


@pytest.mark.asyncio
async def test_many_edits_at_once_end_with_the_last_text(editor: Editor) -> None:
    await start(editor.client, [editor.root])
    uri = editor.open("a.py", BAD)
    for number in range(300):
        editor.change(uri, "#\n" * number + (BAD if number % 2 else "x = 1\n"))
    await until(lambda: [d.range.start.line for d in editor.client.diagnostics.get(uri, ())] == [299 + 4])
    assert await editor.hover(uri, 299 + 4, 20), "what was sent before it is here by now"
    assert [d.range.start.line for d in editor.client.diagnostics[uri]] == [299 + 4]


def test_missing_extra(tmp_path: Path) -> None:
    import subprocess

    code = "import sys; sys.modules['pygls'] = None; from pitfall_lint.cli import run; sys.exit(run(['server']))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert ran.returncode == 2
    assert "pip install 'pitfall-lint[lsp]'" in ran.stderr
    assert "Traceback" not in ran.stderr
