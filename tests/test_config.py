"""Settings files: which one holds for a file, what they may say, and what is said about mistakes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pitfall_lint import config, patterns
from pitfall_lint.config import ConfigError, Resolver


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def settings_of(folder: Path, text: str, **overrides: object) -> config.Settings:
    write(folder / "pitfall-lint.toml", text)
    return Resolver(overrides, folder=str(folder)).for_folder(str(folder))


def test_defaults_without_a_file(tmp_path):
    settings = Resolver(folder=str(tmp_path), isolated=True).for_folder(str(tmp_path))
    assert settings.select is None
    assert settings.file == ""
    assert "node_modules" in settings.exclude
    assert settings.output_format == "full"


@pytest.mark.parametrize("name", ["pyproject.toml", "pitfall-lint.toml", ".pitfall-lint.toml"])
def test_each_kind_of_file(tmp_path, name):
    head = "[tool.pitfall-lint]\n" if name == "pyproject.toml" else ""
    write(tmp_path / name, head + 'select = ["PIT3", "sessions"]\nunsafe-fixes = true\n')
    settings = Resolver(folder=str(tmp_path)).for_file("a.py")
    assert settings.select == ("PIT3", "sessions")
    assert settings.unsafe_fixes
    assert settings.file == str(tmp_path / name)


def test_the_closest_file_holds(tmp_path):
    write(tmp_path / "pyproject.toml", '[tool.pitfall-lint]\nselect = ["PIT1"]\n')
    write(tmp_path / "inner" / "pitfall-lint.toml", 'select = ["PIT2"]\n')
    write(tmp_path / "inner" / "deep" / "pyproject.toml", '[project]\nname = "x"\n')  # does not speak of us
    resolver = Resolver(folder=str(tmp_path))
    assert resolver.for_file("a.py").select == ("PIT1",)
    assert resolver.for_file("inner/a.py").select == ("PIT2",)
    assert resolver.for_file("inner/deep/a.py").select == ("PIT2",)
    assert resolver.for_file(str(tmp_path / "inner" / "deep" / "b.py")).root == str(tmp_path / "inner")


def test_our_own_file_comes_before_pyproject(tmp_path):
    write(tmp_path / "pyproject.toml", '[tool.pitfall-lint]\nselect = ["PIT1"]\n')
    write(tmp_path / "pitfall-lint.toml", 'select = ["PIT2"]\n')
    assert Resolver(folder=str(tmp_path)).for_file("a.py").select == ("PIT2",)


def test_isolated_and_config_leave_the_closest_file_alone(tmp_path):
    write(tmp_path / "pitfall-lint.toml", 'select = ["PIT1"]\n')
    other = write(tmp_path / "other" / "ci.toml", 'select = ["PIT5"]\n')
    assert Resolver(folder=str(tmp_path), isolated=True).for_file("a.py").select is None
    assert Resolver(folder=str(tmp_path), config=str(other)).for_file("a.py").select == ("PIT5",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('selct = ["PIT1"]', "unknown key 'selct', did you mean 'select'?"),
        ('ignored = ["PIT1"]', "unknown key 'ignored', did you mean 'ignore'?"),
        ("zebra = 1", "unknown key 'zebra'"),
        ('select = "PIT1"', "select = 'PIT1': must be a list of strings"),
        ("select = [1]", "select = [1]: must be a list of strings"),
        ("fix = 1", "fix = 1: must be true or false"),
        ('output-format = "text"', "output-format = 'text': must be one of full, concise"),
        ("per-file-ignores = []", "per-file-ignores = []: must be a table of lists of strings"),
        ('target-version = "3"', "target-version = '3': must be a Python version"),
        ("versions = {httpx = 1}", "versions = {'httpx': 1}: must be a table of strings"),
        ('required-version = "x"', "must be a version specifier"),
        ('required-version = ">=99"', "does not allow pitfall-lint"),
        ('extend = "missing.toml"', "missing.toml: No such file or directory"),
        ('extend = "pitfall-lint.toml"', "the files extend each other in a circle"),
        ("select = [", "pitfall-lint.toml: "),
    ],
)
def test_mistakes_name_file_key_and_what_is_wanted(tmp_path, text, message):
    with pytest.raises(ConfigError) as caught:
        settings_of(tmp_path, text)
    assert message in str(caught.value)
    assert "pitfall-lint.toml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_tool_table_that_is_no_table(tmp_path):
    write(tmp_path / "pyproject.toml", "[tool]\npitfall-lint = 3\n")
    with pytest.raises(ConfigError, match="must be a table"):
        Resolver(folder=str(tmp_path)).for_file("a.py")


def test_a_settings_file_that_is_not_utf_8(tmp_path):
    (tmp_path / "pitfall-lint.toml").write_bytes(b"select = ['\xff']")
    with pytest.raises(ConfigError, match=r"pitfall-lint\.toml"):
        Resolver(folder=str(tmp_path)).for_file("a.py")


def test_the_command_line_lies_over_the_file(tmp_path):
    text = 'select = ["PIT1"]\nignore = ["PIT104"]\nextend-select = ["PIT2"]\n'
    settings = settings_of(tmp_path, text, select=["PIT3"])
    # A selection of its own makes the file's forgotten, ignores as well: so does ruff.
    assert (settings.select, settings.ignore, settings.extend_select) == (("PIT3",), (), ())
    settings = settings_of(tmp_path, text, ignore=["PIT101"])
    assert (settings.select, settings.ignore) == (("PIT1",), ("PIT104", "PIT101"))


def test_extend(tmp_path):
    write(tmp_path / "base.toml", 'select = ["PIT1"]\nextend-exclude = ["gen"]\nunsafe-fixes = true\n')
    settings = settings_of(tmp_path / "sub", 'extend = "../base.toml"\nextend-select = ["PIT2"]\n')
    assert settings.select == ("PIT1",)
    assert settings.extend_select == ("PIT2",)
    assert settings.unsafe_fixes
    assert "gen" in settings.exclude
    assert settings.root == str(tmp_path / "sub")


def test_paths_start_at_the_file(tmp_path):
    text = 'libraries = ["lint/http.toml"]\nsrc = ["lib"]\nexclude = ["gen/*.py", "old", "tmp/"]\n'
    settings = settings_of(tmp_path, text)
    root = tmp_path.as_posix()
    assert settings.libraries == (f"{root}/lint/http.toml",)
    assert settings.src == (f"{root}/lib",)
    assert settings.exclude == (f"{root}/gen/*.py", "old", "tmp")


def test_per_file_ignores(tmp_path):
    settings = settings_of(
        tmp_path,
        '[per-file-ignores]\n"tests/*" = ["PIT5"]\n"__init__.py" = ["PIT1"]\n"!src/**" = ["PIT2"]\n'
        '[extend-per-file-ignores]\n"docs/**/*.py" = ["PIT3"]\n',
    )

    def ignored(path: str) -> set[str]:
        return set(config.ignored_in(str(tmp_path / path), settings))

    assert ignored("tests/deep/a.py") == {"PIT5", "PIT2"}
    assert ignored("src/pkg/__init__.py") == {"PIT1"}
    assert ignored("src/pkg/a.py") == set()
    assert ignored("docs/a.py") == {"PIT3", "PIT2"}


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("*.py", "/a/b.py", True),
        ("b", "/a/b", True),
        ("b", "/a/b/c", False),
        ("/a/*", "/a/b/c.py", True),
        ("/a/**/c.py", "/a/c.py", True),
        ("/a/**/c.py", "/a/x/y/c.py", True),
        ("/a/{b,c}/*.py", "/a/c/x.py", True),
        ("/a/{b,c}/*.py", "/a/d/x.py", False),
        ("[ab].py", "/x/a.py", True),
        ("[!ab].py", "/x/a.py", False),
        ("?.py", "/x/ab.py", False),
        ("a+b(1).py", "/x/a+b(1).py", True),
        ("{.py", "/x/{.py", True),
        ("[", "/x/[", True),
    ],
)
def test_patterns(pattern, path, expected):
    assert patterns.matches(path, [pattern]) is expected


@pytest.mark.parametrize(
    ("wanted", "lowest"),
    [
        (">=3.10", "3.10"),
        (">=3.9,<4", "3.9"),
        ("~=3.11", "3.11"),
        ("==3.12.*", "3.12"),
        ("<4", ""),
        ("junk", ""),
    ],
)
def test_target_version_from_the_project(tmp_path, wanted, lowest):
    write(tmp_path / "pyproject.toml", f'[project]\nrequires-python = "{wanted}"\n[tool.pitfall-lint]\n')
    assert Resolver(folder=str(tmp_path)).for_file("a.py").target_version == lowest


def test_target_version_as_ruff_writes_it(tmp_path):
    assert settings_of(tmp_path, 'target-version = "py311"').target_version == "3.11"


def test_every_setting_is_documented():
    readme = (Path(__file__).parent.parent / "README.md").read_text("utf-8")
    missing = [name for name in config.Settings().as_dict() if f"`{name}`" not in readme]
    assert not missing


def test_windows_separators_do_not_matter():
    assert patterns.matches(os.path.join("x", "y", "b.py"), ["b.py"])
