"""diagnose by a table of files: logs of public reports with small code of their kind, and logs that are none of ours."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pitfall_lint import catalog
from pitfall_lint.config import Resolver
from pitfall_lint.diagnose import Diagnosis, diagnose

TABLE = Path(__file__).parent / "fixtures" / "tracebacks"
RELATED = sorted((TABLE / "related").glob("*.txt"))
UNRELATED = sorted((TABLE / "unrelated").glob("*.txt"))
BLIND = {
    "client_behind_its_session": "a class of the project that is given a session does not count as one",
    "client_made_in_another_run": "what asyncio.run() returned is not known to belong to its loop",
    "session_in_a_sync_function": "nobody knows that no loop runs where a plain function is called",
}
"""What stays unanswered, and why: no wrong answer is given instead."""


def laid_out(case: Path, root: Path) -> str:
    """Write the files of a case below a folder and return its log."""
    _, *parts = re.split(r"^=== (.+)\n", case.read_text("utf-8"), flags=re.M)
    files = dict(zip(parts[::2], parts[1::2], strict=True))
    log = files.pop("log")
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return log


def answers(found: Diagnosis) -> list[tuple[str, str, str]]:
    """Return the rules, certainties and lines of all answers, in their order."""
    return [
        (a.rule.code, a.certainty, a.source.line_text(a.source.position(a.finding.span.start)[0]))
        if a.finding is not None and a.source is not None
        else (a.rule.code, a.certainty, "")
        for error in found.errors
        for a in error.answers
    ]


@pytest.mark.parametrize("case", RELATED, ids=lambda path: path.stem)
def test_related(case: Path, tmp_path: Path) -> None:
    log = laid_out(case, tmp_path)
    told = answers(diagnose(log, str(tmp_path), Resolver({})))
    if case.stem in BLIND:
        assert all(certainty not in ("sure", "likely") for _, certainty, _ in told), told
        return
    head = case.read_text("utf-8").partition("\n")[0]
    code, _, line = head.removeprefix("# expect: ").partition(" ")
    assert told, "no answer"
    assert (told[0][0], line in told[0][2]) == (code, True), told
    assert told[0][1] in ("sure", "likely"), told


def test_the_table_is_large_enough() -> None:
    assert len(RELATED) >= 20
    assert len(UNRELATED) >= 25
    assert len(BLIND) / len(RELATED) <= 0.2


@pytest.mark.parametrize("case", UNRELATED, ids=lambda path: path.stem)
def test_unrelated_to_innocent_code(case: Path, tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app/service.py").write_text("async def handle(data, client):\n    return data['id']\n", "utf-8")
    found = diagnose(case.read_text("utf-8"), str(tmp_path), Resolver({}))
    assert all(certainty == "not in the code" for _, certainty, _ in answers(found)), answers(found)
    if case.stem != "server_left":  # which a proxy does, too: the environment is worth a look
        assert found.errors == ()


@pytest.mark.parametrize("case", UNRELATED, ids=lambda path: path.stem)
def test_unrelated_to_code_full_of_pitfalls(case: Path) -> None:
    found = diagnose(case.read_text("utf-8"), str(TABLE), Resolver({}, isolated=True))
    assert all(certainty not in ("sure", "likely") for _, certainty, _ in answers(found)), answers(found)


def test_unrelated_to_a_tree_with_every_pitfall(tmp_path: Path) -> None:
    for rule in catalog.load():
        if not rule.is_built_in:
            (tmp_path / f"{rule.code.lower()}.py").write_text(rule.page.programs("Bad")[0], "utf-8")
    (tmp_path / "app").mkdir()
    (tmp_path / "app/service.py").write_text("async def handle(data, client):\n    return data['id']\n", "utf-8")
    wrong = {}
    for case in UNRELATED:
        told = answers(diagnose(case.read_text("utf-8"), str(tmp_path), Resolver({}, isolated=True)))
        if any(certainty in ("sure", "likely") for _, certainty, _ in told):
            wrong[case.stem] = told
    assert not wrong
