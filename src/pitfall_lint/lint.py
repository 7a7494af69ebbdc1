"""One source → findings: pure, the same for terminal, editor and tests."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pitfall_lint import timing
from pitfall_lint.catalog import Rule
from pitfall_lint.finding import Applicability, Finding, Fix, Severity, Span
from pitfall_lint.screen import Awake
from pitfall_lint.screening import screen_for
from pitfall_lint.semantic.project import Project
from pitfall_lint.source import Source, SourceError

if TYPE_CHECKING:
    from pitfall_lint.semantic.file import File

SYNTAX_ERROR = "PIT001"
_DEEPEST = 200
"""Brackets inside each other; CPython reads no more, and LibCST's parser crashes far beyond."""
_NOT_BRACKETS = bytes(set(range(256)) - set(b"([{)]}"))


class InternalError(RuntimeError):
    """A check failed: a fault of the linter, not of the file. The message names the rule and the file."""

    def __init__(self, rule: Rule, path: str, reason: BaseException) -> None:
        text = str(reason).partition("\n")[0][:200]
        super().__init__(f"{path}: {rule.code} {rule.name} failed: {type(reason).__name__}: {text}")
        self.rule = rule
        self.path = path


class Stopped(Exception):
    """Somebody no longer wants to know."""


@dataclass(frozen=True)
class Linted:
    """The findings of one file, and the other files that they depend on."""

    findings: tuple[Finding, ...] = ()
    used: frozenset[str] = frozenset()
    """Absolute paths whose content, or absence, mattered."""
    gave_up: tuple[str, ...] = ()
    """What was too tangled to be followed to the end, in words that name function and line; rules are silent there."""


def lint_source(
    source: Source,
    rules: Sequence[Rule],
    project: Project,
    *,
    on_error: Callable[[InternalError], None] | None = None,
    whole: bool = False,
    syntax: bool = True,
) -> list[Finding]:
    """Return the findings of one file in the order of its text, before suppressions.

    A check that fails is told to `on_error`, and the others go on; without it InternalError is raised.
    `whole` looks at every definition instead of those that hold a telling word. `syntax=False` looks for
    syntax errors only in the definitions that are looked at.
    """
    return list(lint_with_facts(source, rules, project, on_error=on_error, whole=whole, syntax=syntax).findings)


def lint_with_facts(
    source: Source,
    rules: Sequence[Rule],
    project: Project,
    *,
    on_error: Callable[[InternalError], None] | None = None,
    whole: bool = False,
    syntax: bool = True,
    awake: Awake | None = None,
    is_stopped: Callable[[], bool] = lambda: False,
    prepare: Callable[[File], None] = lambda file: None,
) -> Linted:
    """Do as lint_source does, and tell which other files the findings depend on.

    `awake` is the screen's answer, when somebody has it already; `prepare` may tell the File what is known of it.
    Raises Stopped soon after `is_stopped` says so.
    """
    by_code = {rule.code: rule for rule in rules}
    try:
        source.decoded()
    except SourceError as error:
        return Linted(_stamped([syntax_error(source, error.offset, str(error))], by_code))
    if awake is None:
        with timing.stage("screen"):
            awake = Awake() if whole else screen_for(tuple(rules), project.libraries).wake(source, project)
    looked_at = tuple(rule for rule in rules if not rule.is_built_in) if whole else awake.rules
    broken: Finding | None = None
    if syntax or (looked_at and is_too_deep(source)):
        with timing.stage("syntax"):
            broken, readable = find_syntax_error(source)
        if not readable:
            looked_at = ()
    if not looked_at:
        return Linted(_stamped([broken] if broken else [], by_code))
    if timing.CLOCK is not None:
        timing.CLOCK.looks()
    file = project.file(source, None if whole else awake.lines)
    prepare(file)
    found: list[Finding] = []
    for rule in looked_at:
        if is_stopped():
            raise Stopped
        if not whole:
            file.look_at(awake.lines_of(rule))
        try:
            with timing.stage(rule.code):
                found += _checked(rule, file)
        except SourceError:
            continue  # an interpreter reads it and LibCST does not: it could be neither shown nor mended
        except Exception as error:  # whatever a check raises is its own fault; the other rules go on
            internal = InternalError(rule, source.path, error)
            if on_error is None:
                raise internal from error
            on_error(internal)
        if timing.CLOCK is not None:
            timing.CLOCK.looked(rule.code, len(vars(file).get("trees", ())))  # asking would parse them
    if file.errors and broken is None:
        broken = find_syntax_error(source)[0]
    if broken:
        found = [*_stamped([broken], by_code), *found]
    return Linted(_settled(found, by_code, source), frozenset(file.dependencies()), _gave_up(file))


def _gave_up(file: File) -> tuple[str, ...]:
    """Return, for each function whose flow was beyond the effort, a sentence that says so."""
    from pitfall_lint.semantic.flow.resolved import gave_up

    lines = {}
    for function in gave_up(file):
        try:
            lines[function] = file.source.position(file.span(function.node).start)[0]
        except SourceError:
            continue  # nothing of it can be shown
    return tuple(
        f"{file.source.path}:{line}: {function.name}() is too tangled to be followed; some rules pass it over"
        for function, line in sorted(lines.items(), key=lambda item: item[1])
    )


def _checked(rule: Rule, file: File) -> Iterable[Finding]:
    """Run one check and stamp what it finds; strict findings are for those who asked for the rule."""
    file.strict_too = rule.chosen
    found = [finding for finding in rule.check(file) if rule.chosen or not finding.strict]
    return _stamped(found, {rule.code: rule}, rule)


def _stamped(findings: Iterable[Finding], rules: dict[str, Rule], rule: Rule | None = None) -> tuple[Finding, ...]:
    """Give findings what their page says: code, name, severity, how far the fixes can be trusted."""
    stamped = []
    for finding in findings:
        page = rule or rules.get(finding.code)
        if page is None:
            continue
        stamped.append(
            replace(
                finding,
                code=page.code,
                name=page.name,
                severity=page.severity,
                fixes=tuple(_graded(fix, page) for fix in finding.fixes if fix.edits),
            )
        )
    return tuple(stamped)


def _graded(fix: Fix, rule: Rule) -> Fix:
    if fix.lowered:
        return fix
    return replace(fix, applicability=rule.fix or Applicability.DISPLAY)


def _settled(findings: Iterable[Finding], rules: dict[str, Rule], source: Source) -> tuple[Finding, ...]:
    """Sort, say nothing twice, and leave out what another rule says better on the same line."""
    found = sorted(findings, key=lambda finding: (finding.span, finding.code, finding.message))
    lines = [source.position(finding.span.start)[0] for finding in found]
    taken = {(code, line) for finding, line in zip(found, lines, strict=True) for code in rules[finding.code].replaces}
    unique: dict[tuple[str, Span], Finding] = {}
    for finding, line in zip(found, lines, strict=True):
        if (finding.code, line) not in taken:
            unique.setdefault((finding.code, finding.span), finding)
    return tuple(unique.values())


def find_syntax_error(source: Source) -> tuple[Finding | None, bool]:
    """Return the first syntax error, and whether the rules may look at the file all the same.

    The text is parsed, nothing is run. What only a newer interpreter reads is no error if LibCST reads it.
    """
    text = source.decoded()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(text, source.path, "exec", flags=0x400, dont_inherit=True)  # ast.PyCF_ONLY_AST
        return None, True
    except SyntaxError as error:
        offset = source.offset(error.lineno or 1, max((error.offset or 1) - 1, 0))
        readable = not is_too_deep(source)
        if readable and _libcst_reads(text):
            return None, True
        return syntax_error(source, offset, error.msg or "invalid syntax"), readable
    except (RecursionError, MemoryError):
        return syntax_error(source, 0, "nested too deeply to be read"), False
    except ValueError as error:
        return syntax_error(source, 0, str(error)), False


def _libcst_reads(text: str) -> bool:
    import libcst

    try:
        libcst.parse_module(text)
    except Exception:  # the parser has no one exception for what it can't read
        return False
    return True


def syntax_error(source: Source, offset: int, message: str) -> Finding:
    """Return the finding that a text does not parse; its page is stamped by others."""
    offset = min(offset, len(source.data))
    end = re.compile(rb"[^\s]|$").search(source.data, offset)
    stop = min(end.start() + 1, len(source.data)) if end else offset
    return Finding(
        source.path,
        Span(offset, max(stop, offset)),
        message[:1].upper() + message[1:],
        code=SYNTAX_ERROR,
        severity=Severity.ERROR,
    )


def is_too_deep(source: Source) -> bool:
    """Tell whether brackets stand deeper inside each other than any interpreter reads (strings may count)."""
    depth = 0
    for byte in source.data.translate(None, _NOT_BRACKETS):
        if byte in b"([{":
            depth += 1
            if depth > _DEEPEST:
                return True
        elif depth:
            depth -= 1
    return False
