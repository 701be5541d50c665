"""A mapping of copies: as full as its originals to whoever looks something up, and they never notice."""

from __future__ import annotations

import pytest

from exchange.domain.copies import Copies


def lists() -> tuple[dict[str, list[int]], Copies[str, list[int]]]:
    originals = {"a": [1], "b": [2]}
    return originals, Copies(originals, list.copy)


@pytest.mark.rule("MARG-029", "BOOK-004")
def test_a_copy_is_made_once_and_changed_alone() -> None:
    originals, copies = lists()
    copies["a"].append(9)
    assert copies["a"] == copies.get("a") == [1, 9]
    assert originals == {"a": [1], "b": [2]}
    assert dict(copies) == {"a": [1, 9]}, "nothing else was copied"


@pytest.mark.rule("MARG-029", "BOOK-004")
def test_what_is_not_copied_yet_is_there_and_what_was_never_there_is_not() -> None:
    _, copies = lists()
    assert ("b" in copies, "c" in copies, copies.get("c"), copies.get("c", [0])) == (True, False, None, [0])
    with pytest.raises(KeyError):
        copies["c"]
    with pytest.raises(KeyError):
        del copies["c"]


@pytest.mark.rule("MARG-029", "BOOK-004")
def test_what_is_deleted_stays_deleted_until_it_is_put_in_anew() -> None:
    originals, copies = lists()
    del copies["a"]
    assert ("a" in copies, copies.get("a"), "a" in originals) == (False, None, True)
    with pytest.raises(KeyError):
        copies["a"]
    copies["a"] = [3]
    assert copies["a"] == [3]
