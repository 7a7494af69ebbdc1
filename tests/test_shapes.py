"""The algebra of string shapes, against Python's own strings."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pitfall_lint.semantic import conditions, shapes
from pitfall_lint.semantic.shapes import Hole, Shape, hole, joined, literal

TEXTS = ("", "/", "x", "/x", "x/", "/x/", "//", "a/b")


def holds(claim: bool | None, fact: bool) -> bool:
    return claim is None or claim is fact


@st.composite
def shaped(draw: st.DrawFn) -> tuple[Shape, str]:
    """A shape and one text that it stands for."""
    parts: list[str | Hole] = []
    text = ""
    for piece in draw(st.lists(st.sampled_from(TEXTS), max_size=3)):
        text += piece
        if draw(st.booleans()):
            parts.append(piece)
        else:
            parts.append(
                Hole(
                    leading=piece.startswith("/") if draw(st.booleans()) else None,
                    trailing=piece.endswith("/") if draw(st.booleans()) else None,
                    may_be_empty=piece == "" or draw(st.booleans()),
                )
            )
    return joined(parts), text


def fits(shape: Shape, text: str) -> bool:
    return (
        holds(shape.starts, text.startswith("/"))
        and holds(shape.ends, text.endswith("/"))
        and holds(shape.is_empty, text == "")
        and (shape.text is None or shape.text == text)
    )


@given(shaped(), shaped())
def test_concatenation_is_sound(left: tuple[Shape, str], right: tuple[Shape, str]) -> None:
    (shape,) = shapes.concatenated((left[0],), (right[0],))
    assert fits(shape, left[1] + right[1])


@given(shaped())
def test_stripping_is_sound(given_: tuple[Shape, str]) -> None:
    shape, text = given_
    assert fits(shapes.left_stripped(shape), text.lstrip("/"))
    assert fits(shapes.right_stripped(shape), text.rstrip("/"))
    assert fits(shapes.stripped(shape), text.strip("/"))
    assert fits(shapes.without_prefix(shape, "/"), text.removeprefix("/")) or "//" in text
    assert fits(shapes.without_suffix(shape, "/"), text.removesuffix("/")) or "//" in text


@given(shaped())
def test_conditions_keep_what_can_hold(given_: tuple[Shape, str]) -> None:
    shape, text = given_
    told = conditions.when_true((shape,)) if text else conditions.when_false((shape,))
    assert any(fits(alternative, text) for alternative in told)
    for positive in (True, False):
        if text.startswith("/") is positive:
            assert any(fits(s, text) for s in conditions.when_starts((shape,), "/", positive))
        if text.endswith("/") is positive:
            assert any(fits(s, text) for s in conditions.when_ends((shape,), "/", positive))


def test_rstrip_says_that_no_slash_is_left() -> None:
    (shape,) = shapes.concatenated((shapes.right_stripped(hole("base", may_be_empty=False)),), (literal("/x"),))
    assert (shape.starts, shape.ends, shape.is_empty) == (None, False, False)


def test_join_puts_the_separator_between() -> None:
    (shape,) = shapes.interleaved((literal("/"),), [(literal("a"),), (hole("b"),), (literal("c"),)])
    assert shape.pretty == "a/{b}/c"


def test_many_alternatives_are_unknown() -> None:
    many = tuple(literal(f"x{number}") for number in range(5))
    assert shapes.concatenated(many, many)[0].hole is not None


@pytest.mark.parametrize(
    ("parts", "path"),
    [
        (("http://h",), None),
        (("http://h/",), False),
        (("https://h/api",), True),
        (("http://", Hole("host")), None),
        (("http://", Hole("host"), "/v1"), True),
        (("http://h/", Hole("x")), None),
        (("h/api",), None),
    ],
)
def test_paths_of_addresses(parts: tuple[str | Hole, ...], path: bool | None) -> None:
    expected = False if parts == ("http://h",) else path
    assert shapes.has_path(joined(parts)) is expected


def test_questions_agree_with_all_texts() -> None:
    for pieces in itertools.product(TEXTS, repeat=2):
        assert fits(joined(pieces), "".join(pieces))
