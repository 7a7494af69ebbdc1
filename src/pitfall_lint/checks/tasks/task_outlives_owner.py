"""A task of an object whose close, stop or exit neither cancels nor awaits it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from pitfall_lint.finding import Finding
from pitfall_lint.semantic.definitions import Class, Function
from pitfall_lint.semantic.file import File
from pitfall_lint.semantic.tasks import coroutine_text, started
from pitfall_lint.semantic.unfinished import unfinished

_ENDS = re.compile(
    r"_*(?:a?close|stop|shutdown|disconnect|terminate|teardown|cleanup|__aexit__|__exit__|aexit|exit)(?:_\w+)?_*"
)


def check(file: File) -> Iterator[Finding]:
    """Yield the tasks that their owner's close leaves running."""
    for task in started(file):
        outer = file.parent(task.call.node)
        if task.row.keeps or task.row.silent or not isinstance(outer, (cst.Assign, cst.AnnAssign)):
            continue
        targets = [t.target for t in outer.targets] if isinstance(outer, cst.Assign) else [outer.target]
        class_ = file.class_of(task.call.node)
        for target in targets:
            if isinstance(target, cst.Attribute) and isinstance(target.value, cst.Name) and class_ is not None:
                ending = _ending_without(class_, target.attr.value, task.call.function)
                if ending is not None:
                    yield file.finding(
                        task.call.node,
                        f"`{ending.name}()` neither cancels nor awaits `{file.text(target)}`: its task goes on",
                        related=[ending.file.related(ending.node, "ends the object")],
                    )
    for late in unfinished(file):
        yield file.finding(
            late.task.call.node,
            f"`{late.ending.name}()` reads `self.{late.attribute}`, but cannot wait for the task of "
            f"`{coroutine_text(file, late.task.coroutine)}`, which fills it",
            consequence="What is still under way when the object ends is silently missing.",
            related=[file.related(late.write, "written here"), file.related(late.read, "read at the end")],
        )


def _ending_without(class_: Class, name: str, spawner: Function | None) -> Function | None:
    """Return the method that ends an object, if none of those, nor what they call on self, mentions an attribute."""
    endings = [m for base in class_.mro() if isinstance(base, Class) for m in base.methods() if _ENDS.fullmatch(m.name)]
    if not endings or not class_.mro_complete or spawner in endings:
        return None
    seen: list[Function] = []
    pending = list(endings)
    while pending:
        method = pending.pop()
        if method in seen:
            continue
        seen.append(method)
        if name in method.file.code(method.node):  # in quotes it counts as well: getattr
            return None
        for call in method.calls():
            inner = class_.method(call.method) if call.method is not None else None
            if inner is not None and len(seen) < 20:
                pending.append(inner)
    return endings[0]
