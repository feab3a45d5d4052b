"""Hundreds of hostile documents: each is refused or answered, none is a server error or leaves a trace in the log."""

import logging
import time
from collections.abc import Iterator

import pytest

from tests.graph.transport.conftest import Ask

_SLOWEST = 5.0
"""Seconds of CPU. An order of magnitude above what is promised, because a test's machine may be busy."""


def _documents() -> Iterator[str]:
    yield from _repeated()
    yield from _fragments()
    yield from _values()
    yield from _broken()


def _repeated() -> Iterator[str]:
    for count in (10, 490, 990, 1900):
        for field in (
            "name",
            "friend { name }",
            "friend { friend { name } }",
            "... on Person { name }",
            "no",
            "...F",
        ):
            yield "{ me {" + f" {field}" * count + " } }"
            yield "{ me { friend {" + f" {field}" * count + " } } }"
        yield "{ me {" + " ".join(f"a{n}: name" for n in range(count)) + " } }"
        yield "{ me {" + " ".join(f"nope{n}" for n in range(count)) + " } }"
        yield "{ double(" + " ".join(f"a{n}: 1" for n in range(count)) + ") }"
        yield "{" + " __typename" * count + "}"
        yield "{ me { name" + " @skip(if: false)" * count + " } }"
        yield "{ me {" + " name @nothing" * count + " } }"
        yield "query (" + " ".join(f"$v{n}: Int" for n in range(count)) + ") { __typename }"
        yield "query (" + " ".join("$v: Int" for n in range(count)) + ") { __typename }"
        yield " ".join(f"query Q{n} {{ __typename }}" for n in range(count))
        yield "query Q { __typename }" * count
        yield "type T { a: Int }" * count
        yield " ".join(f"mutation {{ a{n}: __typename }}" for n in range(count))
        yield "{ me" + " { friend" * count + " }" * count + " }"


def _fragments() -> Iterator[str]:
    for count in (2, 14, 199, 400):
        last = f" fragment F{count} on Person {{ name }}"
        for body in ("...F{}", "...F{0} ...F{0}", "friend {{ ...F{0} }}", "friend {{ ...F{0} }} friend {{ ...F{0} }}"):
            parts = " ".join(f"fragment F{n} on Person {{ {body.format(n + 1)} }}" for n in range(count))
            yield "{ me { ...F0 } } " + parts + last
            yield "{ me { name } } " + parts + last
            yield "{ me { ...F0 } } " + parts + last.replace("{ name }", "{ ...F0 }")
        flat = " ".join(f"fragment F{n} on Person {{ friend {{ name }} name }}" for n in range(count))
        yield "{ me {" + " ".join(f"...F{n}" for n in range(count)) + " } } " + flat
        yield "{ me { ...F0 } } " + "fragment F0 on Person { name }" * count
        yield "{ me {" + " ...Missing" * count + " } }"
        yield "{ me" + " { ... on Person" * count + " { name }" + " }" * (count + 1)


def _values() -> Iterator[str]:
    for count in (10, 60, 200, 1000, 3900):
        yield "{ nested(input: { numbers: [" + "1 " * count + "] }) }"
        yield "{ nested(input: { numbers: " + "[" * count + "]" * count + " }) }"
        yield "{ nested(input: " + "{ inner: " * count + "null" + " }" * count + ") }"
        yield "{ nested(input: {" + " numbers: []" * count + " }) }"
        yield "{ double(number: " + "1" * count * 20 + ") }"
        yield "{ slow(seconds: -1" + "0" * count * 20 + ") }"
        yield '{ double(number: "' + "x" * count * 20 + '") }'
        yield '{ double(number: """' + "\n" * count * 20 + '""") }'
        yield '{ double(number: """' + " \\" * count + '""") }'
        yield "{ double(number: " + "$" * count + ") }"


def _broken() -> Iterator[str]:
    yield from (
        "{",
        "}",
        "{}",
        "{{",
        "{ me { } }",
        "query",
        "query {",
        "fragment on on on { on }",
        "...",
        "@",
        "$",
        '"',
    )
    yield from ("\0", "{ \0 }", "\ufeff", "{ me\u2028{ name } }", "{ mé }", "# only a comment", '"""', "{ a(b: 0x1) }")
    yield from ('{ a(b: "\\uD800") }', '{ a(b: "\\u{110000}") }', '{ a(b: "\\u{' + "0" * 50_000 + '}") }')
    yield from ("subscription { count(to: 1) a: count(to: 1) }", "subscription { __typename }", "mutation { nothing }")
    yield from ("," * 99_000, " " * 99_000, "\n" * 99_000, "{" * 50_000, "[" * 50_000, "{ a" * 10_000, "#" * 99_000)
    yield "{ __schema {" + " types { fields { type { fields {" * 4 + " name" + " } } } }" * 4 + " } }"


DOCUMENTS = list(_documents())


async def test_there_are_hundreds() -> None:
    assert len(DOCUMENTS) > 200


@pytest.mark.parametrize("part", range(8))
async def test_none_of_them_hurts(ask: Ask, caplog: pytest.LogCaptureFixture, part: int) -> None:
    for document in DOCUMENTS[part::8]:
        started = time.process_time()
        answer = await ask(document, accept="application/graphql-response+json")
        spent = time.process_time() - started
        assert answer.status_code in (200, 400), document[:100]
        assert spent < _SLOWEST, document[:100]
        for error in answer.json().get("errors", ()):
            assert error["extensions"]["code"] != "INTERNAL", document[:100]
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
