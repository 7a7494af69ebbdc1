"""The rules: a page and a check of the same stem, found by name."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pitfall_lint.finding import Applicability, Finding, Severity
from pitfall_lint.page import Page, PageError, read_page

if TYPE_CHECKING:
    from pitfall_lint.semantic.file import File

__all__ = ["Catalog", "PageError", "Rule", "SelectorError", "library_files", "load", "rules_folder"]

URL = "https://github.com/pitfall-lint/pitfall-lint/blob/main/rules/{family}/{name}.md"
_PACKAGE = Path(__file__).resolve().parent


class SelectorError(ValueError):
    """No rule goes by this name; the message names the nearest one."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule as its page declares it; the check is imported when it first runs."""

    page: Page
    chosen: bool = False
    """Whether the user asked for it in so many words: then its strict findings are shown too."""

    @property
    def code(self) -> str:
        """`PIT301`."""
        return self.page.code

    @property
    def name(self) -> str:
        """`lost-task-exception`."""
        return self.page.name

    @property
    def family(self) -> str:
        """The folder of the page: `tasks`."""
        return self.page.family

    @property
    def severity(self) -> Severity:
        """How bad its findings are."""
        return self.page.severity

    @property
    def fix(self) -> Applicability | None:
        """How far its fixes can be trusted; None when it has none."""
        return self.page.fix

    @property
    def is_default(self) -> bool:
        """Whether it runs when nothing is selected."""
        return self.page.set == "default"

    @property
    def asks(self) -> tuple[str, ...]:
        """The kinds of library rows whose words wake it."""
        return self.page.asks

    @property
    def shape(self) -> tuple[str, ...]:
        """What the code around those words looks like."""
        return self.page.shape

    @property
    def symptoms(self) -> tuple[str, ...]:
        """The texts that a user sees at run time."""
        return self.page.symptoms

    @property
    def replaces(self) -> tuple[str, ...]:
        """The codes whose findings on the same line this rule takes the place of."""
        return self.page.replaces

    @property
    def summary(self) -> str:
        """The page's first sentence."""
        return self.page.summary

    @property
    def url(self) -> str:
        """Where the page can be read in a browser."""
        return URL.format(family=self.family, name=self.name)

    @property
    def is_built_in(self) -> bool:
        """Whether the linter itself reports it, so that there is no check to run."""
        return self.page.built_in

    @property
    def module(self) -> str:
        """The module that holds the check."""
        return f"pitfall_lint.checks.{self.family}.{self.name.replace('-', '_')}"

    @property
    def check(self) -> Callable[[File], Iterator[Finding]]:
        """The check itself. Raises ImportError when there is none."""
        found: Callable[[File], Iterator[Finding]] = importlib.import_module(self.module).check
        return found


class Catalog:
    """All rules, in the order of their codes."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.rules: tuple[Rule, ...] = tuple(sorted(rules, key=lambda rule: rule.code))
        self._by_code = _unique(self.rules, "code")
        self._by_name = _unique(self.rules, "name")
        for rule in self.rules:
            for code in rule.replaces:
                if code not in self._by_code:
                    hint = _did_you_mean(code, self._by_code)
                    raise PageError(f"{rule.page.path}: replaces: there is no rule {code}{hint}")

    def __iter__(self) -> Iterator[Rule]:
        return iter(self.rules)

    def __len__(self) -> int:
        return len(self.rules)

    def find(self, key: str) -> Rule | None:
        """Return the rule that goes by this code or name."""
        return self._by_code.get(key.upper()) or self._by_name.get(key.lower())

    def __getitem__(self, key: str) -> Rule:
        """Return the rule that goes by this code or name. Raises SelectorError with the nearest one."""
        rule = self.find(key)
        if rule is None:
            raise SelectorError(f"unknown rule {key!r}{_did_you_mean(key, [*self._by_code, *self._by_name])}")
        return rule

    @property
    def families(self) -> tuple[str, ...]:
        """The families that have a rule."""
        return tuple(dict.fromkeys(rule.family for rule in self.rules))

    def matching(self, selector: str) -> tuple[int, tuple[Rule, ...]]:
        """Return how exact a selector is and the rules it stands for: ALL, family, prefix, code or name.

        Raises SelectorError with the nearest known selector.
        """
        text = selector.strip()
        upper, lower = text.upper(), text.lower()
        if upper == "ALL":
            return 0, self.rules
        if rule := self.find(text):
            return 9, (rule,)
        if lower in self.families:
            return 4, tuple(rule for rule in self.rules if rule.family == lower)
        if re.fullmatch(r"PIT\d{0,3}", upper):
            if found := tuple(rule for rule in self.rules if rule.code.startswith(upper)):
                return len(upper), found
        known = [*self._by_code, *self._by_name, *self.families, "ALL"]
        raise SelectorError(f"unknown rule selector {selector!r}{_did_you_mean(text, known)}")

    def select(
        self,
        select: Sequence[str] | None = None,
        ignore: Sequence[str] = (),
        extend_select: Sequence[str] = (),
        extend_ignore: Sequence[str] = (),
    ) -> tuple[Rule, ...]:
        """Return the rules to run; None for `select` means the default set.

        As with ruff the more exact selector wins, and `ignore` wins among equals.
        Raises SelectorError for a selector that stands for nothing.
        """
        state: dict[str, tuple[int, bool]] = {}
        if select is None:
            state = {rule.code: (-1, False) for rule in self.rules if rule.is_default}
        turns = [(*self.matching(s), True) for s in (*(select or ()), *extend_select)]
        turns += [(*self.matching(s), False) for s in (*ignore, *extend_ignore)]
        off: set[str] = set()
        for exactness, rules, on in sorted(turns, key=lambda turn: (turn[0], not turn[2])):
            for rule in rules:
                if on:
                    off.discard(rule.code)
                    state[rule.code] = (exactness, True)
                else:
                    off.add(rule.code)
        return tuple(
            replace(rule, chosen=state[rule.code][1])
            for rule in self.rules
            if rule.code in state and rule.code not in off
        )

    def find_by_symptom(self, text: str) -> list[Rule]:
        """Return the rules whose run-time texts stand in `text` (a log line, a traceback), best first."""
        wanted = _plain(text)
        scored = [
            (max((_likeness(_plain(symptom), wanted) for symptom in rule.symptoms), default=0.0), rule)
            for rule in self.rules
        ]
        best = max((score for score, _ in scored), default=0.0)
        found = [(score, rule) for score, rule in scored if score and score >= best - 0.5]
        return [rule for score, rule in sorted(found, key=lambda pair: (-pair[0], pair[1].code))]


def _unique(rules: Iterable[Rule], key: str) -> dict[str, Rule]:
    found: dict[str, Rule] = {}
    for rule in rules:
        value = getattr(rule, key)
        if value in found:
            raise PageError(f"{rule.page.path}: {key} {value} is taken by {found[value].page.path}")
        found[value] = rule
    return found


def _did_you_mean(key: str, known: Iterable[str]) -> str:
    by_lower = {word.lower(): word for word in known}
    import difflib

    near = difflib.get_close_matches(key.lower(), list(by_lower), 1, 0.5)
    return f", did you mean {by_lower[near[0]]!r}?" if near else ""


def _plain(text: str) -> str:
    """Return the text without what changes from run to run: case, spacing, numbers, addresses."""
    return " ".join(re.sub(r"0x[0-9a-f]+|\d+|[^\w\s]|_", " ", text.lower()).split())


def _likeness(symptom: str, text: str) -> float:
    """Return 2 + when the symptom stands in the text, 1 + the other way round, less for most of its words."""
    if not symptom or not text:
        return 0.0
    if f" {symptom} " in f" {text} ":
        return 2 + len(symptom) / (len(text) + len(symptom))
    if f" {text} " in f" {symptom} " and (" " in text or len(text) > 6):
        return 1 + len(text) / len(symptom)
    words = symptom.split()
    share = len(set(words) & set(text.split())) / len(set(words))
    return share / 2 if len(words) >= 3 and share >= 0.75 else 0.0


def rules_folder() -> Path:
    """Return the catalogue's folder: inside the installed package, or at the root of a checkout."""
    for folder in (_PACKAGE / "rules", _PACKAGE.parent.parent / "rules"):
        if folder.is_dir():
            return folder
    raise PageError(f"the rules are missing: neither {_PACKAGE / 'rules'} nor the checkout's rules/ is a folder")


def library_files(folder: Path | None = None) -> list[Path]:
    """Return the files of library rows that travel with the rules."""
    return sorted(((folder or rules_folder()) / "libraries").glob("*.toml"))


def pages(folder: Path | None = None) -> list[Path]:
    """Return the pages, one folder per family."""
    return sorted(path for path in (folder or rules_folder()).glob("*/*.md") if path.parent.name != "libraries")


def load(folder: Path | None = None) -> Catalog:
    """Read all pages. Raises PageError naming the page and what is wrong with it."""
    return Catalog(Rule(read_page(path)) for path in pages(folder))


def as_settings(rule: Rule) -> Mapping[str, Any]:
    """Return the rule as plain data, for `rules --output-format json` and SARIF."""
    return {
        "code": rule.code,
        "name": rule.name,
        "family": rule.family,
        "summary": rule.summary,
        "set": rule.page.set,
        "severity": rule.severity.value,
        "fix": rule.fix.value if rule.fix else "none",
        "symptoms": list(rule.symptoms),
        "url": rule.url,
        "explanation": rule.page.text,
    }
