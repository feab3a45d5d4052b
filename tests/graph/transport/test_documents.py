"""What the server remembers of documents, and for how long."""

import pytest

from graph.errors.top_level import Unauthenticated
from graph.limits import Limits
from graph.transport.documents import DocumentCache
from tests.support import transport_server


def documents(room: int = 1_000) -> DocumentCache:
    return DocumentCache(transport_server.build_schema(), Limits(cached_characters=room), introspection=True)


def test_a_document_is_parsed_and_validated_once() -> None:
    known = documents()
    first = known.get_or_parse("{ nothing }", signed_in=True)
    problems = known.validation_errors(first, signed_in=True)
    assert known.get_or_parse("{ nothing }", signed_in=True) is first
    assert known.validation_errors(first, signed_in=True) is problems


def test_the_document_used_longest_ago_goes_first() -> None:
    known = documents(room=200)
    first, second = "{ me { name } }", "{ me { friend { name } } }"
    kept = [known.get_or_parse(first, signed_in=True), known.get_or_parse(second, signed_in=True)]
    for number in range(10):
        known.get_or_parse(first, signed_in=True)
        known.get_or_parse(f"{{ double(number: {number}) }}", signed_in=True)
    assert known.get_or_parse(first, signed_in=True) is kept[0]
    assert known.get_or_parse(second, signed_in=True) is not kept[1]


def test_a_document_as_long_as_a_tenth_of_the_room_is_not_kept() -> None:
    known = documents(room=100)
    assert known.get_or_parse("{ me { name } }", signed_in=True) is not known.get_or_parse(
        "{ me { name } }", signed_in=True
    )


def test_strangers_push_nothing_out() -> None:
    known = documents()
    kept = known.get_or_parse("{ me { name } }", signed_in=True)
    for number in range(1_000):
        known.get_or_parse(f"{{ a{number}: __typename }}", signed_in=False)
    assert known.get_or_parse("{ me { name } }", signed_in=True) is kept


def test_a_remembered_document_is_no_door_for_strangers() -> None:
    known = documents()
    known.get_or_parse("{ me { name } }", signed_in=True)
    with pytest.raises(Unauthenticated):
        known.get_or_parse("{ me { name } }", signed_in=False)
