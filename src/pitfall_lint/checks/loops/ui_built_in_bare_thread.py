"""A user interface that is built on a thread without a loop launches, and fails at the first click."""

from __future__ import annotations

from collections.abc import Iterator

from pitfall_lint.finding import Finding, Fix
from pitfall_lint.libraries.loops import LoopMaker, ThreadBoundUi, ThreadEntry, UiLaunch
from pitfall_lint.semantic.call import Call
from pitfall_lint.semantic.endings import ends_program, stays_alive
from pitfall_lint.semantic.file import File
from pitfall_lint.semantic.guards import bare_way


def check(file: File) -> Iterator[Finding]:
    """Report interfaces built on bare threads, and launches after which the program ends at once."""
    for call, row in file.calls_to(ThreadBoundUi):
        known = file.version_allows(row)
        if known is False or (way := bare_way(call, catching=())) is None:
            continue
        versions = "" if known or not row.versions else f" ({row.distribution or row.library} {row.versions})"
        message = f"{call.text} is built on {way.where}, which has no loop: it launches, the first event fails"
        yield file.finding(
            call.node,
            message + versions,
            consequence=row.symptom,
            related=way.related,
            fix=set_a_loop(file, call),
        )
    yield from launches_that_end(file)


def set_a_loop(file: File, call: Call) -> Fix | None:
    """Return the fix: the thread gets a loop before the interface is built."""
    for row in file.libraries.rows(LoopMaker):
        module, _, leaf = row.call.rpartition(".")
        name, imports = file.edit_import(module)
        line = f"{name}.{row.sets.rpartition('.')[2]}({name}.{leaf}())"
        return file.edits("Give the thread a loop first", file.edit_insert_before(call.node, line), imports)
    return None


def launches_that_end(file: File) -> Iterator[Finding]:
    """Report launches that return at once as the last thing that a program does."""
    for call, row in file.calls_to(UiLaunch):
        if stays_alive(file, row.kept_by):
            continue
        for keyword in row.returns_if:
            value = call.keyword(keyword)
            if value is not None and file.folded(value) is True and ends_program(file, call.node):
                message = f"{call.text} returns at once with {keyword}=True, and the program ends here, silently"
                yield file.finding(call.node, message)
    for call, entry in file.calls_to(ThreadEntry):
        daemon = call.keyword("daemon")
        if not entry.launcher or daemon is None or file.folded(daemon) is not True:
            continue
        target = call.where(entry.function[0])
        name = file.qualified_name(target) if target is not None else None
        row_ = file.libraries.find(UiLaunch, name) if name is not None else None
        if row_ is not None and not stays_alive(file, row_.kept_by) and ends_program(file, call.node):
            message = f"{file.text(call.node.func)} is a daemon: the program ends here, and the interface with it"
            yield file.finding(call.node, message)
