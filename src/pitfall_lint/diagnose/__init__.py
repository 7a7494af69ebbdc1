"""From a traceback or log to rule, place and fix."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace

from pitfall_lint import catalog, config, discover, run
from pitfall_lint.diagnose.answers import Answer, answer
from pitfall_lint.diagnose.places import Tree
from pitfall_lint.diagnose.reading import Event, read_log
from pitfall_lint.diagnose.secrets import masked
from pitfall_lint.diagnose.symptoms import is_telling, matches, stands

__all__ = ["Answer", "Diagnosed", "Diagnosis", "diagnose", "masked"]


@dataclass(frozen=True)
class Diagnosed:
    """One error of the log and what explains it."""

    title: str
    """What the log says, without secrets."""
    count: int
    answers: tuple[Answer, ...]


@dataclass(frozen=True)
class Diagnosis:
    """What came of a log."""

    errors: tuple[Diagnosed, ...]
    """The errors that a rule knows, in the order of the log."""
    others: tuple[str, ...]
    """The titles of the errors that none of the rules knows."""
    nearest: tuple[catalog.Rule, ...] = ()
    """Rules that come near, where nothing was answered."""
    is_known: bool = False
    """Whether rules know a text of the log, though no place in the code was found for it."""


def diagnose(text: str, root: str = ".", resolver: config.Resolver | None = None) -> Diagnosis:
    """Read a log and explain its errors by the code below `root`.

    Raises ConfigError, LibraryError, PageError for settings and rows that can't be used.
    """
    rules = catalog.load()
    resolver = resolver or config.Resolver({})
    events = read_log(text, lambda line: is_telling(line, rules))
    known = [event for event in events if matches(event.text, rules)]
    errors: list[Diagnosed] = []
    answered: set[int] = set()
    if known:
        settings = resolver.for_folder(root)
        if not settings.file:
            settings = replace(settings, root=os.path.abspath(root))
        project = run.open_project(settings)
        project.allows = _as_it_ran(project.allows)
        tree = Tree(os.path.abspath(root), map(os.path.abspath, _files(root, resolver)))
        for event in known:
            if answers := answer(event, rules, tree, project):
                errors.append(Diagnosed(_title(event, answers[0].symptom), event.count, tuple(answers)))
                answered.add(id(event))
    others = tuple(title for event in events if id(event) not in answered and (title := _title(event)))
    nearest: dict[catalog.Rule, None] = {}
    for event in () if errors else events:
        nearest.update(
            dict.fromkeys([*(m.rule for m in matches(event.text, rules)), *rules.find_by_symptom(event.text)])
        )
    return Diagnosis(tuple(errors), others, tuple(nearest)[:3], bool(known) and not errors)


def _files(root: str, resolver: config.Resolver) -> list[str]:
    errors: list[discover.DiscoverError] = []  # what can't be read can't be the answer
    return [path for path in discover.find([root], resolver.for_folder, errors=errors) if path.endswith(".py")]


def _title(event: Event, symptom: str = "") -> str:
    """Return what a person would quote of an error; the line that a symptom is in, if there is one."""
    told = next((line for line in event.lines if symptom and stands(symptom, line)), event.title)
    line = masked(" ".join(told.split()))
    return line if len(line) <= 160 else line[:159] + "…"


def _as_it_ran(allows: Callable[[str, str, str], bool | None] | None) -> Callable[[str, str, str], bool]:
    """Take versions that are not known for those of the row: the log says that it happened."""
    return lambda name, versions, path: allows is None or allows(name, versions, path) is not False
