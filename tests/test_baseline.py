"""A baseline knows old findings again after moves and formatting, and never hides a new one."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from pitfall_lint.baseline import Baseline, BaselineError
from pitfall_lint.finding import Finding, Span
from pitfall_lint.source import Source


def finding(folder: Path, path: str, code: str, definition: str, text: str, snippet: str) -> tuple[Finding, Source]:
    source = Source(str(folder / path), text.encode())
    start = text.index(snippet)
    span = Span(start, start + len(snippet))
    return Finding(str(folder / path), span, "message", code=code, definition=definition), source


def everything(path: str) -> bool:
    return True


OLD = "def f():\n    spawn(work('a', b=1))\n"
LOOK_ALIKES = {
    "the same": ("app.py", "app.f", OLD, "spawn(work('a', b=1))"),
    "other lines above": ("app.py", "app.f", "import x\n\n\n" + OLD, "spawn(work('a', b=1))"),
    "other quotes and commas": (
        "app.py",
        "app.f",
        'def f():\n    spawn(\n        work("a", b=1),\n    )\n',
        'spawn(\n        work("a", b=1),\n    )',
    ),
    "file renamed": ("lib/new.py", "lib.new.f", OLD, "spawn(work('a', b=1))"),
    "function moved into a class": ("app.py", "app.C.f", OLD, "spawn(work('a', b=1))"),
    "function renamed": ("app.py", "app.g", OLD, "spawn(work('a', b=1))"),
}


@pytest.mark.parametrize("case", LOOK_ALIKES)
def test_known_again(case: str, tmp_path: Path) -> None:
    baseline = Baseline.of(
        [finding(tmp_path, "app.py", "PIT301", "app.f", OLD, "spawn(work('a', b=1))")], str(tmp_path)
    )
    path, definition, text, snippet = LOOK_ALIKES[case]
    outcome = baseline.compare([finding(tmp_path, path, "PIT301", definition, text, snippet)], everything)
    assert (outcome.new, len(outcome.known), outcome.stale) == ([], 1, 0)
    (entry,) = outcome.baseline.entries
    assert entry.path == path


def test_new_ones_are_reported(tmp_path: Path) -> None:
    old = finding(tmp_path, "app.py", "PIT301", "app.f", OLD, "spawn(work('a', b=1))")
    baseline = Baseline.of([old], str(tmp_path))
    other_code = finding(tmp_path, "app.py", "PIT301", "app.f", "spawn(work('b'))", "spawn(work('b'))")
    other_rule = finding(tmp_path, "app.py", "PIT303", "app.f", OLD, "spawn(work('a', b=1))")
    outcome = baseline.compare([old, old, other_code, other_rule], everything)
    assert outcome.known == [old[0]]
    assert outcome.new == [old[0], other_code[0], other_rule[0]]


def test_it_shrinks_but_only_by_what_was_looked_at(tmp_path: Path) -> None:
    (tmp_path / "b.py").write_text(OLD)
    a = finding(tmp_path, "a.py", "PIT301", "a.f", OLD, "spawn(work('a', b=1))")
    b = finding(tmp_path, "b.py", "PIT302", "b.f", OLD, "spawn(work('a', b=1))")
    baseline = Baseline.of([a, b], str(tmp_path))
    outcome = baseline.compare([], lambda path: path == "a.py")
    assert outcome.stale == 1
    assert [entry.path for entry in outcome.baseline.entries] == ["b.py"]
    (tmp_path / "b.py").unlink()
    assert baseline.compare([], lambda path: False).stale == 2  # neither file is there any more


def test_text_round_trip(tmp_path: Path) -> None:
    text = "".join(f"spawn(work({n}))\n" for n in range(60)) + "spawn(work(1))\n"
    baseline = Baseline.of(
        [finding(tmp_path, "my app.py", "PIT301", "app.f", text, f"spawn(work({n}))") for n in [*range(60), 1]],
        str(tmp_path),
    )
    path = tmp_path / "baseline.txt"
    path.write_text(baseline.text())
    again = Baseline.read(path)
    assert again.entries == baseline.entries
    assert len(again) == 61
    assert again.text() == baseline.text()


@pytest.mark.parametrize("text", ["PIT301\n", "PIT301 x a.py::f 00\n", "<<<<<<< HEAD\n"])
def test_errors_name_the_line(text: str, tmp_path: Path) -> None:
    path = tmp_path / "baseline.txt"
    path.write_text("# 00\n" + text)
    with pytest.raises(BaselineError, match=r"baseline\.txt:2: .*--write-baseline"):
        Baseline.read(path)


def test_two_branches_that_mend_one_each_merge(tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        identity = ("-c", "user.name=t", "-c", "user.email=t@localhost", "-c", "init.defaultBranch=main")
        subprocess.run(["git", *identity, *arguments], cwd=tmp_path, check=True, capture_output=True, timeout=60)

    text = "".join(f"spawn(work({n}))\n" for n in range(20))
    all_ = [finding(tmp_path, "app.py", "PIT301", "app.f", text, f"spawn(work({n}))") for n in range(20)]
    path = tmp_path / "baseline.txt"
    write = lambda found: path.write_text(Baseline.of(found, str(tmp_path)).text())  # noqa: E731
    write(all_)
    git("init"), git("add", "."), git("commit", "-m", "base"), git("branch", "other")
    write(all_[1:])
    git("commit", "-am", "mend one")
    git("checkout", "other")
    write(all_[:7] + all_[8:])
    git("commit", "-am", "mend another")
    git("merge", "main")
    assert Baseline.read(path).entries == Baseline.of(all_[1:7] + all_[8:], str(tmp_path)).entries
