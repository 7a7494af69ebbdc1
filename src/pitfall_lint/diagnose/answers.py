"""From an error to ranked answers: rules whose symptoms it shows, run where the traceback leads."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from pitfall_lint.catalog import Catalog, Rule
from pitfall_lint.diagnose import reach
from pitfall_lint.diagnose.places import Module, Place, Tree, is_foreign, telling_names
from pitfall_lint.diagnose.reach import Lines
from pitfall_lint.diagnose.reading import Event
from pitfall_lint.diagnose.symptoms import Match, matches
from pitfall_lint.finding import Finding
from pitfall_lint.lint import InternalError, lint_with_facts
from pitfall_lint.screen import Awake
from pitfall_lint.screening import screen_for
from pitfall_lint.semantic.project import Project
from pitfall_lint.source import Source

SURE, LIKELY, POSSIBLE, UNSEEN = "sure", "likely", "possible", "not in the code"
_ON_LINE, _IN_FUNCTION, _CALLER, _IN_MODULE, _NEAR, _ELSEWHERE = 4.0, 3.0, 2.5, 1.5, 1.0, 0.5
_BESIDE = "it stands in a module next to those in the traceback"
_STRICT = 0.7
"""What a finding that only the strict set shows is worth less."""
_SECONDS = 2
"""Of CPU for one error, after which nothing further is looked at."""
_AT_ONCE = 12
"""Lines between two looks at the clock."""
_SETTINGS = {
    "proxies": (
        "Nothing in the code shows it: look at the environment. "
        '`python -c "import urllib.request; print(urllib.request.getproxies())"` prints the proxies that the '
        "process sees; `localhost,127.0.0.1` must stand in NO_PROXY and no_proxy"
    ),
}


@dataclass(frozen=True)
class Answer:
    """One explanation of an error."""

    rule: Rule
    symptom: str
    score: float
    certainty: str
    """sure, likely, possible, or not in the code."""
    why: str
    """How the place and the error belong together."""
    finding: Finding | None = None
    source: Source | None = None
    path: str = ""
    advice: str = ""
    """What to look at where the code does not show it."""


def answer(event: Event, rules: Catalog, tree: Tree, project: Project) -> list[Answer]:
    """Return what explains an error, best first; empty when no rule knows it."""
    known = matches(event.text, rules)
    if not known:
        return []
    places = [place for frame in event.frames if (place := tree.place(frame)) is not None]
    own = [frame for frame in event.frames if not is_foreign(frame)] + [place.frame for place in places]
    names = telling_names([*event.names, *(frame.function for frame in own)])
    chosen = rules.select([match.rule.code for match in known if not match.rule.is_built_in])
    specific = {m.rule.code for m in known if m.is_specific and not (event.names and m.is_about_a_name)}
    search = _Search(chosen, project, time.process_time() + _SECONDS)
    answers: dict[tuple[str, Finding], Answer] = {}

    def look(module: Module, lines: Lines) -> None:
        for finding in search.look(module, lines):
            of = next(match for match in known if match.rule.code == finding.code)
            answers[module.path, finding] = _judge(finding, of, module, places, names, event)

    def knows() -> bool:
        return any(answer.certainty != POSSIBLE for answer in answers.values())

    for module, lines in [*reach.functions(places).items(), *reach.callers(tree, places, names)]:
        look(module, lines)
    if not knows() and not search.is_over:
        for module in reach.beside(tree, places):
            look(module, None)
    if not knows() and not search.is_over:
        for module in tree.modules:
            look(module, None)
    good = [a for a in answers.values() if a.certainty != POSSIBLE or a.rule.code in specific]
    best = _best(good, specific, not search.is_over)
    if not any(answer.certainty in (SURE, LIKELY) for answer in best):
        best += _unseen(known, {answer.rule.code for answer in best}, places)
    return sorted(best, key=_rank)


def _rank(answer: Answer) -> tuple[int, float, str, str, int]:
    order = (SURE, LIKELY, POSSIBLE, UNSEEN).index(answer.certainty)
    return order, -answer.score, answer.rule.code, answer.path, answer.finding.span.start if answer.finding else 0


class _Search:
    """Looks with some rules into modules as long as there is time; the first look is never cut short."""

    def __init__(self, rules: Sequence[Rule], project: Project, limit: float) -> None:
        self.rules = tuple(rules)
        self.project = project
        self.limit = limit
        self.is_over = False
        """Whether something was left out."""
        self._whole: set[Module] = set()

    def look(self, module: Module, lines: Lines) -> Iterator[Finding]:
        """Yield what the rules find in a module, or in its definitions around some lines."""
        source = module.source
        if source is None or module in self._whole or self._is_late():
            return
        awake = Awake(self.rules, lines)
        if lines is None:
            self._whole.add(module)
            awake = screen_for(self.rules, self.project.libraries).wake(source, self.project)
        pieces = [awake]
        if awake.lines is not None:
            starts = range(0, len(awake.lines), _AT_ONCE)
            pieces = [replace(awake, lines=awake.lines[start : start + _AT_ONCE]) for start in starts]
        for number, piece in enumerate(pieces):
            if number and self._is_late():
                return
            failed: list[InternalError] = []
            yield from lint_with_facts(
                source, self.rules, self.project, on_error=failed.append, syntax=False, awake=piece
            ).findings

    def _is_late(self) -> bool:
        self.is_over = self.is_over or time.process_time() > self.limit
        return self.is_over


def _judge(
    finding: Finding, match: Match, module: Module, places: Sequence[Place], names: set[str], event: Event
) -> Answer:
    assert module.source is not None
    line = module.source.position(finding.span.start)[0]
    last = module.source.position(max(finding.span.end - 1, finding.span.start))[0]
    score, why = _ELSEWHERE, f"this is a place where {match.rule.name} can happen; the log does not name it"
    block = module.block(line, "")
    for place in reversed(places):
        if place.module is not module:
            continue
        shown = place.frame.function or "the module"
        if line <= place.frame.line <= last:
            score, why = _ON_LINE, f"the traceback goes through this line, in {shown}"
            break
        if place.block is block and place.is_exact and finding.strict:
            score, why = max(score, _NEAR), f"it stands beside the line of {shown} that the traceback goes through"
        elif place.block is block and score < _IN_FUNCTION:
            score, why = _IN_FUNCTION, f"the traceback goes through {shown}, where this stands"
        elif score < _IN_MODULE:
            score, why = _IN_MODULE, f"the traceback goes through {shown} in the same module"
    if score < _CALLER and (name := _named(module, line, last, names)):
        score, why = _CALLER, f"this runs {name}, which the log names"
    if score < _NEAR and reach.is_beside(module, {place.module for place in places}):
        score, why = _NEAR, _BESIDE
    total = score + match.weight - (_STRICT if finding.strict else 0)
    # What everybody logs, or what names another function, needs a place that the log leads to.
    is_enough = match.is_specific and not (event.names and match.is_about_a_name)
    certainty = (
        SURE if score >= _IN_FUNCTION else LIKELY if score >= (_IN_MODULE if is_enough else _CALLER) else POSSIBLE
    )
    return Answer(match.rule, match.symptom, total, certainty, why, finding, module.source, module.path)


def _named(module: Module, first: int, last: int, names: set[str]) -> str | None:
    assert module.source is not None
    text = b"".join(module.source.lines[first - 1 : last + 1])
    return next((name for name in sorted(names) if re.search(rb"\b%s\b" % re.escape(name.encode()), text)), None)


def _best(answers: list[Answer], specific: set[str], saw_all: bool) -> list[Answer]:
    """Leave out what is only possible where better is known; what stands alone in the whole tree may be likely."""
    good = [answer for answer in answers if answer.certainty != POSSIBLE]
    if good or not saw_all:
        return good or answers
    alone = {a.rule.code for a in answers if sum(other.rule is a.rule for other in answers) == 1}
    only = "the only place in this tree where it can happen"
    return [
        replace(a, score=a.score + 1, certainty=LIKELY, why=f"{a.why}, {only}" if a.why == _BESIDE else only)
        if a.rule.code in alone and a.rule.code in specific and a.finding is not None and not a.finding.strict
        else a
        for a in answers
    ]


def _unseen(known: Sequence[Match], seen: set[str], places: Sequence[Place]) -> list[Answer]:
    """The rules that know the text and find nothing: worth a word where the cause need not be here."""
    answers = []
    for match in known:
        advice = _SETTINGS.get(match.rule.family, "")
        if match.rule.code in seen or not (advice or (not places and match.is_specific)):
            continue
        if not advice:
            page = f"`pitfall-lint explain {match.rule.code}` says what to look for"
            advice = f"No such place in this tree; run it with --root where the code of the traceback lies. {page}"
        why = f'the rule knows "{match.symptom}"'
        answers.append(Answer(match.rule, match.symptom, match.weight * 0.4, UNSEEN, why, advice=advice))
    return answers
