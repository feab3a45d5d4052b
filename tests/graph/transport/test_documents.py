"""What the server remembers of documents, and for how long."""

import pytest

from graph.errors.top_level import Unauthenticated
from graph.limits import Limits
from graph.transport.documents import Documents
from tests.support import transport_server


def documents(room: int = 1_000) -> Documents:
    return Documents(transport_server.schema(), Limits(cached_characters=room), introspection=True)


def test_a_document_is_parsed_and_validated_once() -> None:
    known = documents()
    first = known.read("{ nothing }", signed_in=True)
    problems = known.validated(first, signed_in=True)
    assert known.read("{ nothing }", signed_in=True) is first
    assert known.validated(first, signed_in=True) is problems


def test_the_document_used_longest_ago_goes_first() -> None:
    known = documents(room=200)
    first, second = "{ me { name } }", "{ me { friend { name } } }"
    kept = [known.read(first, signed_in=True), known.read(second, signed_in=True)]
    for number in range(10):
        known.read(first, signed_in=True)
        known.read(f"{{ double(number: {number}) }}", signed_in=True)
    assert known.read(first, signed_in=True) is kept[0]
    assert known.read(second, signed_in=True) is not kept[1]


def test_a_document_as_long_as_a_tenth_of_the_room_is_not_kept() -> None:
    known = documents(room=100)
    assert known.read("{ me { name } }", signed_in=True) is not known.read("{ me { name } }", signed_in=True)


def test_strangers_push_nothing_out() -> None:
    known = documents()
    kept = known.read("{ me { name } }", signed_in=True)
    for number in range(1_000):
        known.read(f"{{ a{number}: __typename }}", signed_in=False)
    assert known.read("{ me { name } }", signed_in=True) is kept


def test_a_remembered_document_is_no_door_for_strangers() -> None:
    known = documents()
    known.read("{ me { name } }", signed_in=True)
    with pytest.raises(Unauthenticated):
        known.read("{ me { name } }", signed_in=False)
