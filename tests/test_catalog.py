"""The catalogue: pages and checks find each other by name, selectors mean what they say, errors help."""

from __future__ import annotations

import pickle
import re
from pathlib import Path

import pytest
from evidence import TESTS, rules

from pitfall_lint import catalog, page
from pitfall_lint.catalog import Catalog, Rule, SelectorError
from pitfall_lint.libraries import kinds

CHECKS = Path(catalog.__file__).parent / "checks"
FAMILY_DIGIT = {"files": "0", "paths": "1", "loops": "2", "tasks": "3", "sessions": "4", "proxies": "5"}
ALL = [pytest.param(rule, id=rule.name) for rule in rules()]


@pytest.mark.parametrize("rule", ALL)
def test_rule_is_whole(rule: Rule) -> None:
    """Page, check and fixture of the same stem; the code's first digit is the family's."""
    assert rule.code[3] == FAMILY_DIGIT[rule.family]
    stem = rule.name.replace("-", "_")
    if not rule.is_built_in:
        assert (CHECKS / rule.family / f"{stem}.py").is_file()
        assert callable(rule.check)
        fixtures = TESTS / "fixtures"
        single = (fixtures / rule.family / f"{stem}.py").is_file()
        assert single or list((fixtures / "projects").glob(f"{stem}__*")), "the rule has no fixture"
    unknown = set(rule.asks) - kinds().keys()
    assert not unknown, f"asks for kinds that no row has: {unknown}"
    assert rule.url.endswith(f"/rules/{rule.family}/{rule.name}.md")


def test_every_check_has_a_page() -> None:
    modules = {path for path in CHECKS.glob("*/*.py") if path.name != "__init__.py"}
    pages = {CHECKS / rule.family / f"{rule.name.replace('-', '_')}.py" for rule in rules()}
    assert modules <= pages, f"checks without a page: {sorted(modules - pages)}"


def test_table_in_readme_names_real_rules() -> None:
    readme = catalog.rules_folder() / "README.md"
    if readme.is_file():
        for family, name in re.findall(r"\]\((\w+)/([a-z0-9-]+)\.md\)", readme.read_text("utf-8")):
            assert rules()[name].family == family


def test_rules_are_picklable() -> None:
    assert pickle.loads(pickle.dumps(rules().rules)) == rules().rules


PAGE = """\
# {name} ({code})

It reports something.

```toml
code = "{code}"
set = "{set}"
severity = "warning"
fix = "none"
symptoms = {symptoms}
{more}
```

## Why
Because.

## Bad
```python
bad()
```

## Fixed
```python
good()
```

## Good
```python
good()
```
"""


def write(folder: Path, family: str, name: str, code: str, **values: str) -> Path:
    path = folder / family / f"{name}.md"
    path.parent.mkdir(exist_ok=True, parents=True)
    values = {"set": "default", "symptoms": "[]", "more": "", **values}
    path.write_text(PAGE.format(name=name, code=code, **values), "utf-8")
    return path


@pytest.fixture
def small(tmp_path: Path) -> Catalog:
    symptoms = '["Session is closed"]'
    write(tmp_path, "tasks", "lost-thing", "PIT301", symptoms='["Task exception was never retrieved"]')
    write(tmp_path, "tasks", "odd-thing", "PIT305", set="strict")
    write(tmp_path, "sessions", "closed-thing", "PIT401", symptoms=symptoms, more='replaces = ["PIT301"]')
    return catalog.load(tmp_path)


def codes(chosen: tuple[Rule, ...]) -> list[str]:
    return [rule.code for rule in chosen]


@pytest.mark.parametrize(
    ("select", "ignore", "extend_select", "extend_ignore", "expected"),
    [
        (None, [], [], [], ["PIT301", "PIT401"]),
        (["ALL"], [], [], [], ["PIT301", "PIT305", "PIT401"]),
        (["PIT"], [], [], [], ["PIT301", "PIT305", "PIT401"]),
        (["PIT3"], [], [], [], ["PIT301", "PIT305"]),
        (["pit30"], [], [], [], ["PIT301", "PIT305"]),
        (["tasks"], [], [], [], ["PIT301", "PIT305"]),
        (["odd-thing"], [], [], [], ["PIT305"]),
        (None, ["PIT3"], [], [], ["PIT401"]),
        (None, ["sessions"], [], [], ["PIT301"]),
        (None, [], ["PIT305"], [], ["PIT301", "PIT305", "PIT401"]),
        (None, ["ALL"], ["PIT305"], [], ["PIT305"]),
        (["PIT3"], ["PIT301"], [], [], ["PIT305"]),
        (["PIT301"], ["PIT3"], [], [], ["PIT301"]),
        (["PIT301"], ["PIT301"], [], [], []),
        (["ALL"], ["PIT3"], [], ["closed-thing"], []),
        ([], [], [], [], []),
    ],
)
def test_select(
    small: Catalog,
    select: list[str] | None,
    ignore: list[str],
    extend_select: list[str],
    extend_ignore: list[str],
    expected: list[str],
) -> None:
    assert codes(small.select(select, ignore, extend_select, extend_ignore)) == expected


def test_only_selected_rules_are_chosen(small: Catalog) -> None:
    """Strict findings of a rule are for those who asked for it."""
    assert [rule.chosen for rule in small.select(None, [], ["PIT305"])] == [False, True, False]
    assert all(rule.chosen for rule in small.select(["ALL"]))


@pytest.mark.parametrize(
    ("selector", "hint"),
    [("PIT309", "PIT30"), ("lost-things", "lost-thing"), ("task", "tasks"), ("alll", "ALL"), ("PIT9", "")],
)
def test_unknown_selector(small: Catalog, selector: str, hint: str) -> None:
    with pytest.raises(SelectorError, match=f"unknown rule selector '{selector}'") as error:
        small.select([selector])
    assert hint in str(error.value)


def test_find(small: Catalog) -> None:
    assert small["pit301"] is small["Lost-Thing"]
    assert small.find("nothing") is None
    with pytest.raises(SelectorError, match="did you mean 'lost-thing'"):
        small["lost-thin"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Task exception was never retrieved", "lost-thing"),
        ("2026-11-21 ERROR asyncio: Task exception was never retrieved\nfuture: <Task 0x7f>", "lost-thing"),
        ("RuntimeError: Session is closed", "closed-thing"),
        ("task exception never retrieved", "lost-thing"),
        ("exception was never retrieved", "lost-thing"),
    ],
)
def test_find_by_symptom(small: Catalog, text: str, expected: str) -> None:
    assert [rule.name for rule in small.find_by_symptom(text)] == [expected]


@pytest.mark.parametrize("text", ["", "everything is fine", "is", "closed"])
def test_no_symptom(small: Catalog, text: str) -> None:
    assert small.find_by_symptom(text) == []


@pytest.mark.parametrize("rule", ALL)
def test_own_symptoms_lead_to_the_rule(rule: Rule) -> None:
    for symptom in rule.symptoms:
        assert rule in rules().find_by_symptom(symptom), symptom


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("# lost-thing (PIT301)", "# Lost thing", "the first line must be"),
        ("# lost-thing", "# other-thing", "the heading says 'other-thing', the file is called 'lost-thing'"),
        ("(PIT301)", "(PIT302)", "the heading says PIT302, the block 'PIT301'"),
        ("It reports something.", "", "the sentence below the heading is missing"),
        ("```toml", "```yaml", "toml block is missing"),
        ('set = "default"', "set = ", "the toml block"),
        ('set = "default"', 'set = "always"', "set = 'always': must be one of default, strict"),
        ('severity = "warning"', 'severty = "warning"', "unknown key 'severty', did you mean 'severity'?"),
        ('severity = "warning"', "", "the key 'severity' is missing"),
        ("symptoms = []", 'symptoms = "text"', "symptoms = 'text': must be a list of strings"),
        ("## Good", "## Goods", "unknown section '## Goods', did you mean 'Good'?"),
        ("## Why\nBecause.\n", "", "the section '## Why' is missing"),
        ("bad()\n```", "bad()\n```\n```python\nworse()\n```", "'## Bad' must hold exactly one"),
    ],
)
def test_bad_pages(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = write(tmp_path, "tasks", "lost-thing", "PIT301")
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")
    with pytest.raises(page.PageError) as error:
        catalog.load(tmp_path)
    assert str(error.value).startswith(str(path))
    assert message in str(error.value)


def test_codes_are_unique(tmp_path: Path) -> None:
    write(tmp_path, "tasks", "lost-thing", "PIT301")
    write(tmp_path, "tasks", "other-thing", "PIT301")
    with pytest.raises(page.PageError, match=r"code PIT301 is taken by tasks/lost-thing\.md"):
        catalog.load(tmp_path)


def test_replaces_names_a_rule(tmp_path: Path) -> None:
    write(tmp_path, "tasks", "lost-thing", "PIT301", more='replaces = ["PIT302"]')
    with pytest.raises(page.PageError, match="replaces: there is no rule PIT302"):
        catalog.load(tmp_path)
