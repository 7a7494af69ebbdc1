"""Whether objects that call functions of others do so on a thread: because they start one, or are run on one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import libcst as cst

from pitfall_lint.libraries.loops import ThreadAttribute, ThreadEntry
from pitfall_lint.semantic.calls import mentions

if TYPE_CHECKING:
    from pitfall_lint.semantic.definitions import Function
    from pitfall_lint.semantic.file import File
    from pitfall_lint.semantic.threads import Way


def calls_on_thread(file: File, row: ThreadAttribute, entries: Callable[[Function], Iterable[Way]]) -> bool:
    """Tell whether objects of a row call what is assigned to them on a thread of this file's program.

    `entries` answers how a function is handed to a thread.
    """
    data = file.source.data
    if any(word.encode() in data for word in row.driven_by):
        return False
    if not row.started_by or any(word.encode() in data for word in row.started_by):
        return True
    return any(_is_run(file, word, entries) for word in row.run_by if word.encode() in data)


def _is_run(file: File, word: str, entries: Callable[[Function], Iterable[Way]]) -> bool:
    """Tell whether `….word` is handed to a thread, or called by a function that is."""
    for mention in mentions(file, word):
        outer = file.parent(mention)
        call_node = file.parent(outer) if isinstance(outer, cst.Arg) else None
        if isinstance(call_node, cst.Call):
            if any(not row.process for row in file.rows_of_call(file.call(call_node), ThreadEntry)):
                return True
        elif isinstance(outer, cst.Call) and outer.func is mention:
            function = file.function_of(outer)
            if function is not None and any(way.runs_on == "thread" for way in entries(function)):
                return True
    return False
