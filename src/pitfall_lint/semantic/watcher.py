"""The helper that fixes put into a module: it keeps a background task alive and logs what it raises."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from pitfall_lint.finding import Edit, Fix, Span
from pitfall_lint.semantic import edits
from pitfall_lint.semantic.walk import all_nodes

if TYPE_CHECKING:
    from pitfall_lint.semantic.file import File

_NAME = "_watch_task"
_TASKS = "_background_tasks"
_TEXT = '''{tasks} = set()


def {name}(task):
    """Keep a background task alive until it is done, and log what it raises."""

    def done(task):
        {tasks}.discard(task)
        if not task.cancelled() and task.exception() is not None:
            {logger}.error("Background task failed: %r", task, exc_info=task.exception())

    {tasks}.add(task)
    task.add_done_callback(done)
    return task
'''


def watch(file: File, node: cst.BaseExpression, title: str) -> Fix:
    """Return the fix that hands the task of an expression to the module's helper, which it inserts if need be."""
    place = file.span(node)
    around = (Edit(Span(place.start, place.start), f"{_NAME}("), Edit(Span(place.end, place.end), ")"))
    return file.edits(title, *around, _helper(file))


def _helper(file: File) -> tuple[Edit, ...]:
    if any(block.name == _NAME and block.parent is None for block in file.outline.blocks):
        return ()
    logger, line = _logger(file)
    imports: tuple[Edit, ...] = ()
    if logger is None:
        module, imports = file.edit_import("logging")
        logger = f"{module}.getLogger(__name__)"
    text = _TEXT.format(tasks=_TASKS, name=_NAME, logger=logger)
    newline = file.source.newline
    at, before, after = _place(file, line)
    return (*imports, Edit(Span(at, at), (before + text + after).replace("\n", newline)))


def _logger(file: File) -> tuple[str | None, int]:
    """Return the module's own logger and the 0-based line behind its assignment."""
    if b"getLogger" not in file.source.data:  # the whole module need not be parsed to know
        return None, 0
    for statement in file.skeleton.module.body:
        if not isinstance(statement, cst.SimpleStatementLine):
            continue
        for small in statement.body:
            if isinstance(small, cst.Assign) and isinstance(small.value, cst.Call) and len(small.targets) == 1:
                target = small.targets[0].target
                if isinstance(target, cst.Name) and file.qualified_name(small.value.func) == "logging.getLogger":
                    return target.value, _line_behind(file, statement)
    return None, 0


def _line_behind(file: File, node: cst.CSTNode) -> int:
    simple = [inner for inner in all_nodes(node) if isinstance(inner, cst.SimpleStatementLine)]
    return file.source.position(max(edits.span(file, simple[-1] if simple else node).end - 1, 0))[0]


def _place(file: File, minimum: int) -> tuple[int, str, str]:
    """Return where the helper goes, and the text before and after it: behind the imports and the logger."""
    source = file.source
    line = max(minimum, file.heading.behind)
    blank = line
    while blank < len(source.lines) and not source.lines[blank].strip():
        blank += 1
    before = "\n" if line else ""
    if blank >= len(source.lines):
        return len(source.data), before, ""
    if blank - line >= 2:  # the two blank lines that follow come behind the helper
        return source.line_starts[line], before, ""
    return source.line_starts[blank], ("\n" if blank == line and line else ""), "\n\n"
