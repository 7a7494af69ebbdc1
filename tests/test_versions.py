"""Version ranges and the files that name them."""

from __future__ import annotations

from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from pitfall_lint import ranges
from pitfall_lint.versions import Versions, answerer, forget, project_versions

RELEASES = [
    "0.99",
    "0.105.2",
    "0.106.0",
    "0.110",
    "0.117.1",
    "0.118.0",
    "1.0",
    "1.0.post1",
    "1.4.2",
    "2.0",
    "2.5",
]
SPECIFIERS = [
    ">=0.106,<0.118",
    "==0.110",
    "==1.*",
    "~=1.4",
    "~=0.106.0",
    "!=1.0",
    "!=1.*,>0.99",
    ">0.117.1",
    "<=1.4.2",
    "<1.0",
    "===2.0",
]


@pytest.mark.parametrize("text", SPECIFIERS)
@pytest.mark.parametrize("release", RELEASES)
def test_ranges_agree_with_packaging(text: str, release: str) -> None:
    wanted = ranges.parse(text)
    exact = ranges.point(release)
    assert wanted is not None
    assert exact is not None
    if Version(release).is_postrelease and ">" in text.replace(">=", ""):
        pytest.skip("packaging leaves post-releases out of an exclusive comparison; it decides nothing here")
    assert exact.within(wanted) is SpecifierSet(text).contains(release)


@pytest.mark.parametrize(
    ("allowed", "row", "answer"),
    [
        ("==5.34.0", ">=3.42,<5.34.1", True),
        ("==5.34.1", ">=3.42,<5.34.1", False),
        (">=5", ">=3.42,<5.34.1", None),
        ("<3", ">=3.42,<5.34.1", False),
        ("~=0.110.0", ">=0.106,<0.118", True),
        ("^0.110", ">=0.106,<0.118", True),
        ("^0.110.3", ">=0.111", False),
        ("~1.2", ">=1.2,<1.3", True),
        ("^1.2", "<2", True),
        ("*", "<2", None),
        ("1.*", "<2", True),
        ("^3.9 || ^4", ">=3.9,<5", True),
        (">=3.8,<3.10", "<3.10", True),
        (">=3.10", "<3.10", False),
        ("!=1.0", "!=1.0", True),
    ],
)
def test_within(allowed: str, row: str, answer: bool | None) -> None:
    ours, theirs = ranges.parse(allowed), ranges.parse(row)
    assert ours is not None
    assert theirs is not None
    assert ours.within(theirs) is answer


@pytest.mark.parametrize("text", ["banana", ">=x", "^", "1.2.3,,banana"])
def test_no_range(text: str) -> None:
    assert ranges.parse(text) is None


def at(root: Path, settings: dict[str, str] | None = None, **files: str) -> Versions:
    forget()
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_DOT_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return project_versions(root, settings)


def test_nothing_known(tmp_path: Path) -> None:
    versions = at(tmp_path)
    assert versions.within("gradio", "<5.34.1") is None
    assert versions.within("gradio", "") is True
    with pytest.raises(ValueError, match="banana"):
        versions.within("gradio", "banana")


LOCK = """version = 1

[[package]]
name = "Gradio_Client"
version = "1.10.0"
dependencies = [
    { name = "httpx", version = "9.9" },
]

[package.metadata]
name = "no"
version = "7"

[[package]]
name = "fastapi"
version = "0.110.0"
source = { registry = "https://example.org/simple" }
"""


@pytest.mark.parametrize(
    "name", ["uv_DOT_lock", "poetry_DOT_lock", "pdm_DOT_lock", "pylock_DOT_toml", "pylock_DOT_dev_DOT_toml"]
)
def test_lock_files(tmp_path: Path, name: str) -> None:
    text = LOCK.replace("[[package]]", "[[packages]]") if name.startswith("pylock") else LOCK
    versions = at(tmp_path, **{name: text, "requirements_DOT_txt": "fastapi==0.50\n"})
    assert versions.within("fastapi", ">=0.106,<0.118") is True
    assert versions.within("gradio-client", "==1.10.0") is True
    assert versions.within("httpx", ">=9") is None
    allowed = versions.allowed("fastapi")
    assert allowed is not None
    assert allowed[1] == name.replace("_DOT_", ".")


def test_lock_with_two_versions_of_one_distribution(tmp_path: Path) -> None:
    versions = at(tmp_path, uv_DOT_lock=LOCK + '\n[[package]]\nname = "fastapi"\nversion = "0.120"\n')
    assert versions.within("fastapi", ">=0.106,<0.118") is None
    assert versions.within("fastapi", ">=0.106") is True


def test_pipfile_lock(tmp_path: Path) -> None:
    versions = at(tmp_path, Pipfile_DOT_lock='{"default": {"fastapi": {"version": "==0.110.0"}}}')
    assert versions.within("fastapi", ">=0.106,<0.118") is True


def test_requirements(tmp_path: Path) -> None:
    versions = at(
        tmp_path,
        requirements_DOT_txt="-r requirements/base.txt\n-i https://example.org/simple\n"
        "gradio==5.34.0 ; python_version >= '3.9'  # pinned\n"
        "fastapi[all]==0.110.0 \\\n    --hash=sha256:00\nurl @ https://example.org/x.whl\nnot a requirement!\n",
        requirements__base_DOT_txt="-r ../requirements.txt\nstarlette>=0.30,<0.31\n",
    )
    assert versions.within("gradio", ">=3.42,<5.34.1") is True
    assert versions.within("fastapi", ">=0.106,<0.118") is True
    assert versions.within("starlette", ">=0.30") is True
    assert versions.within("url", ">=1") is None
    assert not any(path.name == "nowhere" for path in versions.files)


def test_two_requirements_files_that_disagree(tmp_path: Path) -> None:
    versions = at(tmp_path, requirements_DOT_txt="gradio==5.34.0\n", **{"requirements-dev_DOT_txt": "gradio==5.35.0\n"})
    assert versions.within("gradio", "<5.34.1") is None


def test_requirements_narrow_what_is_declared(tmp_path: Path) -> None:
    versions = at(
        tmp_path,
        requirements_DOT_txt="gradio\n",
        pyproject_DOT_toml='[project]\ndependencies = ["gradio<5"]\n',
    )
    assert versions.within("gradio", "<5.34.1") is True


def test_pyproject(tmp_path: Path) -> None:
    versions = at(
        tmp_path,
        pyproject_DOT_toml="""
[project]
requires-python = ">=3.8,<3.10"
dependencies = ["fastapi>=0.106,<0.110", "httpx"]
[project.optional-dependencies]
ui = ["gradio~=5.30.0"]
[dependency-groups]
dev = ["aiohttp==3.9.1", {include-group = "x"}]
""",
    )
    assert versions.within("python", "<3.10") is True
    assert versions.within("fastapi", ">=0.106,<0.118") is True
    assert versions.within("httpx", "<1") is None
    assert versions.within("gradio", "<5.34.1") is True
    assert versions.within("aiohttp", ">=3.9") is True


def test_poetry(tmp_path: Path) -> None:
    versions = at(
        tmp_path,
        pyproject_DOT_toml="""
[tool.poetry.dependencies]
python = "^3.11"
fastapi = "^0.110"
gradio = {version = "~5.30", optional = true}
httpx = [{version = "<0.24", python = "<3.10"}, {version = ">=0.24"}]
mine = {path = "../mine"}
[tool.poetry.group.dev.dependencies]
aiohttp = "3.9.*"
""",
    )
    assert versions.within("python", "<3.10") is False
    assert versions.within("fastapi", ">=0.106,<0.118") is True
    assert versions.within("gradio", "<5.34.1") is True
    assert versions.within("httpx", "<1") is None
    assert versions.within("mine", "<1") is None
    assert versions.within("aiohttp", "<3.10") is True


def test_setup_cfg(tmp_path: Path) -> None:
    versions = at(
        tmp_path,
        setup_DOT_cfg="[options]\npython_requires = >=3.8\ninstall_requires =\n    fastapi==0.110.0\n    httpx>=0.20,<1\n",
    )
    assert versions.within("fastapi", ">=0.106,<0.118") is True
    assert versions.within("httpx", "<1") is True
    assert versions.within("python", ">=3.8") is True


def test_setting_wins(tmp_path: Path) -> None:
    versions = at(tmp_path, {"FastAPI": "0.120"}, uv_DOT_lock=LOCK)
    assert versions.within("fastapi", ">=0.106,<0.118") is False
    with pytest.raises(ValueError, match=r"versions\.gradio: 'five'"):
        at(tmp_path, {"gradio": "five"})


def test_member_of_a_workspace_reads_the_lock_above(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    at(
        tmp_path,
        uv_DOT_lock=LOCK,
        packages__api__pyproject_DOT_toml='[project]\ndependencies = ["httpx==0.27.0"]\n',
    )
    versions = project_versions(tmp_path / "packages" / "api")
    assert versions.within("fastapi", ">=0.106,<0.118") is True
    assert versions.within("httpx", "==0.27.0") is True


def test_above_no_repository_nothing_is_read(tmp_path: Path) -> None:
    at(tmp_path, uv_DOT_lock=LOCK, api__main_DOT_py="")
    assert project_versions(tmp_path / "api").within("fastapi", ">=0.106") is None


@pytest.mark.parametrize("name", ["pyproject.toml", "uv.lock", "requirements.txt", "setup.cfg", "Pipfile.lock"])
@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xfe\x00[[[",
        b"[",
        b"",
        b"\0" * 10,
        b"[[package]]\n" * 3,
        b'["a',
        b"[project]\ndependencies = 3\n",
    ],
)
def test_broken_files_say_nothing(tmp_path: Path, name: str, data: bytes) -> None:
    forget()
    (tmp_path / name).write_bytes(data)
    assert project_versions(tmp_path).within("fastapi", "<1") is None


def test_folders_and_links_in_place_of_files(tmp_path: Path) -> None:
    forget()
    (tmp_path / "uv.lock").mkdir()
    (tmp_path / "requirements.txt").symlink_to("requirements.txt")
    assert project_versions(tmp_path).within("fastapi", "<1") is None


def test_answers_for_a_file_in_the_project(tmp_path: Path) -> None:
    at(tmp_path, requirements_DOT_txt="gradio==5.34.0\n", app__requirements_DOT_txt="gradio==5.35.0\n")
    allows = answerer(tmp_path, {"httpx": "0.27"})
    assert allows("gradio", "<5.34.1", str(tmp_path / "web" / "ui" / "main.py")) is True
    assert allows("gradio", "<5.34.1", str(tmp_path / "app" / "main.py")) is False
    assert allows("httpx", "<1", str(tmp_path / "app" / "main.py")) is True
    assert allows("gradio", "<5.34.1", str(tmp_path.parent / "main.py")) is None
