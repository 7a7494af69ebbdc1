"""A client, lock or queue belongs to the first loop that uses it; the next loop finds it broken."""

from __future__ import annotations

from collections.abc import Iterator

from pitfall_lint.finding import Finding
from pitfall_lint.libraries.loops import LoopBound
from pitfall_lint.semantic.call import Call
from pitfall_lint.semantic.file import File
from pitfall_lint.semantic.lifetimes import Run, made_early, may_bind_early, runs_that_use, together
from pitfall_lint.semantic.loop_crossing import crossing


def check(file: File) -> Iterator[Finding]:
    """Report objects of a loop that several loops use, and (strict) those made before theirs runs."""
    for call, row in file.calls_to(LoopBound):
        where = made_early(call)
        crossed = crossing(call) if not where and not row.primitive else None
        if crossed is not None:
            first, second = crossed
            message = f"{call.text} belongs to a loop that ends before it is used on another one: {row.symptom}"
            places = [call.file.related(first.call.node, "its loop ends here")]
            places.append(call.file.related(second.call.node, says(second)))
            yield file.finding(call.node, message, related=places)
        if not where or call.keyword("loop") is not None:
            continue
        runs = several(runs_that_use(call))
        if runs:
            message = f"{call.text} is made {where} and used from more than one event loop: {row.symptom}"
            related = [run.call.file.related(run.call.node, says(run)) for run in runs]
            yield file.finding(call.node, message, related=related)
        elif row.primitive and file.strict_too and may_bind_early(file, row):
            message = f"{call.text} is made {where}, before the loop that will use it: {row.symptom}"
            yield file.finding(call.node, message, strict=True, consequence=too_early(call, row))


def several(runs: list[Run]) -> list[Run]:
    """Return the runs that happen in one program: two in one function, or one again and again."""
    again = [run for run in runs if run.repeats]
    return again[:3] or (runs[:3] if together([run.call for run in runs]) else [])


def says(run: Run) -> str:
    """Return what to say of a run."""
    again = ", again and again" if run.repeats else ""
    return f"{run.coroutine.name} runs on a new loop here{again}"


def too_early(call: Call, row: LoopBound) -> str:
    """Return why making it early matters."""
    if row.needs_loop:
        return f"{call.text} needs a loop at once: without one it raises, with another it belongs to that one"
    return f"Python {row.python} binds it to the loop that is current when it is made; asyncio.run makes another"
