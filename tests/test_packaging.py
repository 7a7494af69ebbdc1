"""The package: wheel, sdist and editable install carry the rules and start."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from pitfall_lint import __version__, catalog
from pitfall_lint.cli.rules import markdown

ROOT = Path(__file__).parent.parent
RULES = {path.relative_to(ROOT / "rules").as_posix() for path in (ROOT / "rules").rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Build the sdist, and the wheel from it, without a network."""
    folder = tmp_path_factory.mktemp("dist")
    backend = "import sys, hatchling.build as b; print(getattr(b, sys.argv[1])(sys.argv[2]))"

    def build(kind: str, source: Path) -> Path:
        command = [sys.executable, "-c", backend, f"build_{kind}", str(folder)]
        done = subprocess.run(command, cwd=source, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return folder / done.stdout.split()[-1]

    sdist = build("sdist", ROOT)
    with tarfile.open(sdist) as archive:
        archive.extractall(folder / "unpacked")
    wheel = build("wheel", folder / "unpacked" / f"pitfall_lint-{__version__}")
    return sdist, wheel, build


def test_the_wheel_holds_the_rules_and_nothing_strange(built):
    with zipfile.ZipFile(built[1]) as archive:
        names = set(archive.namelist())
    assert {f"pitfall_lint/rules/{name}" for name in RULES} <= names
    assert "pitfall_lint/__main__.py" in names
    assert {name.split("/")[0] for name in names} == {"pitfall_lint", f"pitfall_lint-{__version__}.dist-info"}
    assert not [name for name in names if "__pycache__" in name or "tests" in name]


def test_the_wheel_made_from_the_checkout_is_the_same(built):
    with zipfile.ZipFile(built[1]) as archive:
        names = set(archive.namelist())
    again = built[2]("wheel", ROOT)
    with zipfile.ZipFile(again) as archive:
        assert set(archive.namelist()) == names


def test_the_sdist_holds_what_tests_need(built):
    with tarfile.open(built[0]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {f"rules/{name}" for name in RULES} <= names
    assert {"pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "tests/test_packaging.py"} <= names


def test_the_wheel_runs_where_it_is_unpacked(built, tmp_path):
    with zipfile.ZipFile(built[1]) as archive:
        archive.extractall(tmp_path / "site")
    (tmp_path / "bug.py").write_text('import os\n\nos.environ["no_proxy"] = "localhost"\n')
    env = os.environ | {
        "PYTHONPATH": str(tmp_path / "site"),
        "PITFALL_LINT_CACHE_DIR": str(tmp_path / "cache"),
    }
    command = (
        [sys.executable, "-P", "-m", "pitfall_lint"]
        if sys.version_info >= (3, 11)
        else [sys.executable, "-m", "pitfall_lint"]
    )
    done = subprocess.run([*command, "bug.py"], cwd=tmp_path, env=env, capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    assert done.stdout.startswith("PIT503 ")
    where = "import pitfall_lint.catalog as c; print(c.rules_folder())"
    done = subprocess.run([sys.executable, "-c", where], cwd=tmp_path, env=env, capture_output=True, text=True)
    assert done.stdout.strip() == str(tmp_path / "site" / "pitfall_lint" / "rules")


def test_metadata(built):
    with zipfile.ZipFile(built[1]) as archive:
        text = archive.read(f"pitfall_lint-{__version__}.dist-info/METADATA").decode()
        entry = archive.read(f"pitfall_lint-{__version__}.dist-info/entry_points.txt").decode()
    assert "Requires-Python: >=3.10\n" in text
    assert "License-Expression: MIT\n" in text
    for extra in ("fast", "lsp", "test", "watch"):
        assert f"Provides-Extra: {extra}\n" in text
    assert "pitfall-lint = pitfall_lint.__main__:main" in entry


def test_editable_install_points_at_the_checkout(built, tmp_path):
    backend = "import sys, hatchling.build as b; print(b.build_editable(sys.argv[1]))"
    done = subprocess.run([sys.executable, "-c", backend, str(tmp_path)], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(tmp_path / done.stdout.split()[-1]) as archive:
        names = archive.namelist()
        paths = archive.read("_pitfall_lint.pth").decode()
    assert paths.strip() == str(ROOT / "src")
    assert not [name for name in names if "/rules/" in name]  # a copy would grow stale


def readme() -> str:
    return (ROOT / "README.md").read_text("utf-8")


def test_the_readmes_table_is_the_catalogue():
    begin, end = "<!-- rules -->\n", "<!-- end of rules -->"
    table = readme().partition(begin)[2].partition(end)[0]
    assert table.strip() == markdown(list(catalog.load())).strip(), "write the table anew: python tests/write_readme.py"


def test_the_readmes_links_lead_somewhere():
    for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "rules/README.md"):
        path = ROOT / name
        if not path.exists():
            continue
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", path.read_text("utf-8")):
            if "://" not in target:
                assert (path.parent / target).exists(), f"{name}: {target}"


def test_the_changelog_knows_this_version():
    assert f"## {__version__}" in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_no_place_of_the_makers_machine_is_named():
    for path in (
        *ROOT.glob("*.md"),
        *ROOT.glob(".ci/*"),
        ROOT / "pyproject.toml",
        ROOT / ".pre-commit-hooks.yaml",
    ):
        if path.is_file():
            assert not re.search(r"(?<![\w.])/(work|root|tmp|opt)/", path.read_text("utf-8")), path
