"""Refusals: what each says, and where."""

from types import SimpleNamespace

import pytest

from crm import errors
from crm.errors import (
    BadUserInput,
    ConflictError,
    DuplicateError,
    ErrorCode,
    ExpectedError,
    Forbidden,
    InputError,
    InputErrors,
    LimitError,
    TransitionError,
    Unauthenticated,
)
from db.tables.enums import CustomerStage, Permission, SubscriptionStatus


def test_a_code_is_named_as_it_is_sent():
    assert all(code.name == code.value for code in ErrorCode)


def test_a_path_is_text_from_the_outside_in():
    assert InputError(ErrorCode.TAKEN, "Taken.", ("input", "tags", "add", 1)).path == ("input", "tags", "add", "1")


@pytest.mark.parametrize(
    ("allowed", "message"),
    [
        pytest.param(set(), "NEW cannot become POOL; it cannot be changed.", id="none"),
        pytest.param({CustomerStage.FOLLOW_UP}, "NEW cannot become POOL; it can become FOLLOW_UP.", id="one"),
        pytest.param(
            {CustomerStage.POOL, CustomerStage.NEW, CustomerStage.FOLLOW_UP},
            "NEW cannot become POOL; it can become NEW, FOLLOW_UP or POOL.",
            id="several in declared order",
        ),
    ],
)
def test_a_transition_tells_what_is_allowed(allowed, message):
    assert TransitionError(CustomerStage.NEW, CustomerStage.POOL, allowed).message == message


def test_a_transition_names_its_ends():
    refused = TransitionError(SubscriptionStatus.DELETED, SubscriptionStatus.SUBSCRIBED, ())
    assert (refused.code, refused.from_, refused.to, refused.allowed) == (
        ErrorCode.INVALID_TRANSITION,
        "DELETED",
        "SUBSCRIBED",
        (),
    )


def test_a_conflict_carries_the_record_as_it_is_now():
    record = SimpleNamespace(version=7)
    refused = ConflictError(record)
    assert (refused.code, refused.path, refused.record) == (ErrorCode.CONFLICT, ("ifVersion",), record)
    assert "version 7" in refused.message


@pytest.mark.parametrize(
    ("refused", "code"),
    [
        pytest.param(LimitError("150 tags at most.", limit=150, current=151), ErrorCode.LIMIT_EXCEEDED, id="limit"),
        pytest.param(
            LimitError("Full.", limit=5, current=6, code=ErrorCode.AGENT_AT_CAPACITY),
            ErrorCode.AGENT_AT_CAPACITY,
            id="limit of another kind",
        ),
        pytest.param(DuplicateError("Held.", existing=object()), ErrorCode.TAKEN, id="duplicate"),
    ],
)
def test_each_kind_has_its_code(refused, code):
    assert refused.code is code


def test_one_is_reported_like_many():
    one, other = InputError(ErrorCode.BLANK, "One."), InputError(ErrorCode.INVALID, "Two.", row=3)
    assert one.errors == (one,)
    assert InputErrors([one, other]).errors == (one, other)
    assert str(InputErrors([one, other])) == "One. Two."


def test_what_was_gathered_is_raised_together():
    one, other = InputError(ErrorCode.BLANK, "One."), InputError(ErrorCode.INVALID, "Two.")
    errors.raise_errors([])
    with pytest.raises(InputError) as alone:
        errors.raise_errors([one])
    assert alone.value is one
    with pytest.raises(InputErrors) as both:
        errors.raise_errors([one, other])
    assert both.value.errors == (one, other)


@pytest.mark.parametrize(
    "refusal",
    [
        pytest.param(Forbidden(Permission.TAG_MANAGE), id="forbidden"),
        pytest.param(BadUserInput("LIMIT_EXCEEDED", "At most 250 a page.", limit=250), id="bad input"),
        pytest.param(Unauthenticated(), id="unauthenticated"),
    ],
)
def test_those_of_a_whole_field_belong_to_no_payload(refusal):
    assert isinstance(refusal, ExpectedError)
    assert not hasattr(refusal, "refusals")
    assert str(refusal) == refusal.message
