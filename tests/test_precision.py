"""The labels of what was read are whole, and their figures are those on the pages."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest
from evidence import TESTS

BENCH = TESTS.parent / "bench" / "precision.py"


@pytest.fixture(scope="module")
def precision() -> ModuleType:
    spec = importlib.util.spec_from_file_location("precision", BENCH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["precision"] = module
    spec.loader.exec_module(module)
    return module


def test_labels(precision: ModuleType) -> None:
    known = precision.packages()
    for label in precision.labels():
        assert label.place[:2] in known, f"{label.package} {label.version} is missing in packages.jsonl"
        assert label.verdict == "wrong" or not label.mended


@pytest.mark.parametrize(("group", "share"), [("second", 0.95), ("fourth", 0.89), ("fifth", 0.86)])
def test_unseen_is_precise(precision: ModuleType, group: str, share: float) -> None:
    """The rounds in which every rule was read, as they were first read; the fourth and the fifth fell short of RULES."""
    read = [label for label in precision.labels() if label.set == "default"]
    chosen = precision.packages(f"unseen, {group}")
    found = [label.verdict for label in read if label.place[:2] in chosen]
    assert found.count("right") >= share * (found.count("right") + found.count("wrong"))


def test_what_was_wrong_is_mended(precision: ModuleType) -> None:
    """Of all that nobody had looked at before, what is told today keeps what RULES promises for the default set."""
    chosen = precision.packages("unseen")
    read = [each for each in precision.labels() if each.set == "default" and each.place[:2] in chosen]
    left = [each.verdict for each in read if not each.mended]
    assert left.count("right") >= 0.95 * (left.count("right") + left.count("wrong"))


def test_pages_tell_the_figures(precision: ModuleType) -> None:
    for page, text in precision.pages():
        assert page.read_text("utf-8") == text, (
            f"python bench/precision.py --write-pages: {page.name} is not up to date"
        )


def test_packages_are_found(precision: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "a-pkg-1.2").mkdir()
    (tmp_path / "other" / "o.dist-info").mkdir(parents=True)
    (tmp_path / "other" / "o.dist-info" / "METADATA").write_text("Name: Other.Name\nVersion: 3\n")
    found = {(name, version) for name, version, _ in precision.unpacked(tmp_path)}
    assert found == {("a-pkg", "1.2"), ("Other.Name", "3")}
