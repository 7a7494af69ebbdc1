"""`--why`: the beliefs about a line, and what each rule asked."""

from __future__ import annotations

from pathlib import Path

from pitfall_lint import catalog, libraries
from pitfall_lint.semantic.project import Project
from pitfall_lint.source import Source
from pitfall_lint.why import Why, why

TEXT = """\
import asyncio


class App:
    async def save(self, item):
        await self.store.write(item)

    async def go(self, item):
        asyncio.create_task(self.save(item))
        await asyncio.create_task(self.save(item))
        self.unknown(item)
"""


def explain(tmp_path: Path, line: int) -> Why:
    path = tmp_path / "app.py"
    path.write_text(TEXT)
    project = Project(libraries.load(catalog.library_files()), root=str(tmp_path))
    rules = catalog.load().select(["PIT3"], [], [], [])
    return why(Source(str(path), path.read_bytes()), line, rules, project)


def test_a_finding_and_what_is_believed(tmp_path: Path) -> None:
    report = explain(tmp_path, 9)
    assert report.definition == "in the coroutine function app.App.go"
    beliefs = {belief.text: belief for belief in report.beliefs}
    assert beliefs["asyncio.create_task"].name == "asyncio.create_task"
    assert beliefs["self"].holds == "an object of app.App"
    assert beliefs["self.save(item)"].holds == "a coroutine of app.App.save"
    assert beliefs["item"].holds == "unknown"
    assert [looked.rule.code for looked in report.rules if looked.findings] == ["PIT301"]


def test_silence_comes_with_the_questions(tmp_path: Path) -> None:
    report = explain(tmp_path, 10)
    assert not any(looked.findings for looked in report.rules)
    asked = {looked.rule.code: looked.asked for looked in report.rules}
    assert any("`self.save`: app.App.save" in question for question in asked["PIT301"])
    assert not report.errors
