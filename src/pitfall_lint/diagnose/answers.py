"""From an error to ranked answers: rules whose symptoms it shows, run where the traceback leads."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pitfall_lint.catalog import Catalog, Rule
from pitfall_lint.diagnose.places import Module, Place, Tree, is_foreign, telling_names
from pitfall_lint.diagnose.reading import Event
from pitfall_lint.diagnose.symptoms import SPECIFIC, Match, matches
from pitfall_lint.finding import Finding
from pitfall_lint.lint import InternalError, lint_with_facts
from pitfall_lint.semantic.project import Project
from pitfall_lint.source import Source

SURE, LIKELY, POSSIBLE, UNSEEN = "sure", "likely", "possible", "not in the code"
_ON_LINE, _IN_FUNCTION, _CALLER, _IN_MODULE, _NEAR, _ELSEWHERE = 4.0, 3.0, 2.5, 1.5, 1.0, 0.5
_BESIDE = "it stands in a module next to those in the traceback"
_STRICT = 0.7
"""What a finding that only the strict set shows is worth less."""
_FILES = 5_000
_SECONDS = 30
"""Of CPU, after which no further file is read that the log does not lead to."""
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
    answers: list[Answer] = []
    near, far = _by_distance(tree, places, names)
    limit = time.process_time() + _SECONDS
    for modules in (near, far):
        if any(answer.certainty != POSSIBLE for answer in answers):
            break  # what is far can only be possible
        for module in modules:
            if time.process_time() > limit and not any(place.module is module for place in places):
                break
            for finding in _lint(module, chosen, project):
                of = next(match for match in known if match.rule.code == finding.code)
                answers.append(_judge(finding, of, module, places, names))
    words = {match.rule.code: match.words for match in known}
    best = _best([a for a in answers if a.score > _NEAR or words[a.rule.code] >= SPECIFIC], words)
    if not any(answer.certainty in (SURE, LIKELY) for answer in best):
        best += _unseen(known, {answer.rule.code for answer in best}, places)
    return sorted(best, key=_rank)


def _rank(answer: Answer) -> tuple[float, str, str, int]:
    return -answer.score, answer.rule.code, answer.path, answer.finding.span.start if answer.finding else 0


def _by_distance(tree: Tree, places: Sequence[Place], names: set[str]) -> tuple[list[Module], list[Module]]:
    """The traceback's own modules and those that name its functions; and the others, boundedly many."""
    own = dict.fromkeys(place.module for place in places)
    words = re.compile(rb"\b(?:%s)\b" % b"|".join(re.escape(name.encode()) for name in names)) if names else None
    near: list[Module] = list(own)
    far: list[Module] = []
    for module in tree.modules[:_FILES]:
        if module not in own:
            named = words is not None and module.source is not None and words.search(module.source.data)
            (near if named else far).append(module)
    return near, far


def _lint(module: Module, rules: Sequence[Rule], project: Project) -> Sequence[Finding]:
    if module.source is None:
        return ()
    failed: list[InternalError] = []
    return lint_with_facts(module.source, rules, project, on_error=failed.append, syntax=False).findings


def _judge(finding: Finding, match: Match, module: Module, places: Sequence[Place], names: set[str]) -> Answer:
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
        if place.block is block and score < _IN_FUNCTION:
            score, why = _IN_FUNCTION, f"the traceback goes through {shown}, where this stands"
        elif score < _IN_MODULE:
            score, why = _IN_MODULE, f"the traceback goes through {shown} in the same module"
    if score < _CALLER and (name := _named(module, line, last, names)):
        score, why = _CALLER, f"this runs {name}, which the log names"
    if score < _NEAR and any(_imports(place.module, module) or _imports(module, place.module) for place in places):
        score, why = _NEAR, _BESIDE
    total = score + match.weight - (_STRICT if finding.strict else 0)
    certainty = SURE if score >= _IN_FUNCTION else LIKELY if score >= _IN_MODULE else POSSIBLE
    return Answer(match.rule, match.symptom, total, certainty, why, finding, module.source, module.path)


def _named(module: Module, first: int, last: int, names: set[str]) -> str | None:
    assert module.source is not None
    text = b"".join(module.source.lines[first - 1 : last + 1])
    return next((name for name in sorted(names) if re.search(rb"\b%s\b" % re.escape(name.encode()), text)), None)


def _imports(module: Module, other: Module) -> bool:
    stem = other.parts[-1].removesuffix(".py")
    word = other.parts[-2] if stem == "__init__" and len(other.parts) > 1 else stem
    if module.outline is None:
        return False
    entries = [entry for group in module.outline.imports.values() for entry in group]
    return any(word in (*entry.module.split("."), entry.attribute) for entry in entries)


def _best(answers: list[Answer], words: dict[str, int]) -> list[Answer]:
    """Leave out what is only possible where better is known; what stands alone may be likely."""
    good = [answer for answer in answers if answer.certainty != POSSIBLE]
    if good:
        return good
    alone = {a.rule.code for a in answers if sum(other.rule is a.rule for other in answers) == 1}
    only = "the only place in this tree where it can happen"
    return [
        replace(a, score=a.score + 1, certainty=LIKELY, why=f"{a.why}, {only}" if a.why == _BESIDE else only)
        if a.rule.code in alone and (a.why == _BESIDE or words[a.rule.code] >= SPECIFIC)
        else a
        for a in answers
    ]


def _unseen(known: Sequence[Match], seen: set[str], places: Sequence[Place]) -> list[Answer]:
    """The rules that know the text and find nothing: worth a word where the cause need not be here."""
    answers = []
    for match in known:
        advice = _SETTINGS.get(match.rule.family, "")
        if match.rule.code in seen or not (advice or (not places and match.words >= SPECIFIC)):
            continue
        if not advice:
            page = f"`pitfall-lint explain {match.rule.code}` says what to look for"
            advice = f"No such place in this tree; run it with --root where the code of the traceback lies. {page}"
        why = f'the rule knows "{match.symptom}"'
        answers.append(Answer(match.rule, match.symptom, match.weight * 0.4, UNSEEN, why, advice=advice))
    return answers
