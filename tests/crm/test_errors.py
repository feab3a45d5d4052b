"""Refusals: what each says, and where."""

from types import SimpleNamespace

import pytest

from crm import errors
from crm.errors import (
    BadInput,
    ConflictRefused,
    DuplicateRefused,
    ErrorCode,
    Forbidden,
    LimitRefused,
    Refusal,
    Refusals,
    Refused,
    TransitionRefused,
    Unauthenticated,
)
from db.tables.enums import CustomerStage, Permission, SubscriptionStatus


def test_a_code_is_named_as_it_is_sent():
    assert all(code.name == code.value for code in ErrorCode)


def test_a_path_is_text_from_the_outside_in():
    assert Refused(ErrorCode.TAKEN, "Taken.", ("input", "tags", "add", 1)).path == ("input", "tags", "add", "1")


@pytest.mark.parametrize(
    ("allowed", "message"),
    [
        pytest.param(set(), "NEW cannot become POOL; nothing can be chosen from here.", id="none"),
        pytest.param({CustomerStage.FOLLOW_UP}, "NEW cannot become POOL; it can become FOLLOW_UP.", id="one"),
        pytest.param(
            {CustomerStage.POOL, CustomerStage.NEW, CustomerStage.FOLLOW_UP},
            "NEW cannot become POOL; it can become NEW, FOLLOW_UP or POOL.",
            id="several in declared order",
        ),
    ],
)
def test_a_transition_tells_what_is_allowed(allowed, message):
    assert TransitionRefused(CustomerStage.NEW, CustomerStage.POOL, allowed).message == message


def test_a_transition_names_its_ends():
    refused = TransitionRefused(SubscriptionStatus.DELETED, SubscriptionStatus.SUBSCRIBED, ())
    assert (refused.code, refused.from_, refused.to, refused.allowed) == (
        ErrorCode.INVALID_TRANSITION,
        "DELETED",
        "SUBSCRIBED",
        (),
    )


def test_a_conflict_carries_the_record_as_it_is_now():
    record = SimpleNamespace(version=7)
    refused = ConflictRefused(record)
    assert (refused.code, refused.path, refused.record) == (ErrorCode.CONFLICT, ("ifVersion",), record)
    assert "version 7" in refused.message


@pytest.mark.parametrize(
    ("refused", "code"),
    [
        pytest.param(LimitRefused("150 tags at most.", limit=150, current=151), ErrorCode.LIMIT_EXCEEDED, id="limit"),
        pytest.param(
            LimitRefused("Full.", limit=5, current=6, code=ErrorCode.AGENT_AT_CAPACITY),
            ErrorCode.AGENT_AT_CAPACITY,
            id="limit of another kind",
        ),
        pytest.param(DuplicateRefused("Held.", existing=object()), ErrorCode.TAKEN, id="duplicate"),
    ],
)
def test_each_kind_has_its_code(refused, code):
    assert refused.code is code


def test_one_is_reported_like_many():
    one, other = Refused(ErrorCode.BLANK, "One."), Refused(ErrorCode.INVALID, "Two.", row=3)
    assert one.refusals == (one,)
    assert Refusals([one, other]).refusals == (one, other)
    assert str(Refusals([one, other])) == "One. Two."


def test_what_was_gathered_is_raised_together():
    one, other = Refused(ErrorCode.BLANK, "One."), Refused(ErrorCode.INVALID, "Two.")
    errors.refuse([])
    with pytest.raises(Refused) as alone:
        errors.refuse([one])
    assert alone.value is one
    with pytest.raises(Refusals) as both:
        errors.refuse([one, other])
    assert both.value.refusals == (one, other)


@pytest.mark.parametrize(
    "refusal",
    [
        pytest.param(Forbidden(Permission.TAG_MANAGE), id="forbidden"),
        pytest.param(BadInput("LIMIT_EXCEEDED", "At most 250 a page.", limit=250), id="bad input"),
        pytest.param(Unauthenticated(), id="unauthenticated"),
    ],
)
def test_those_of_a_whole_field_belong_to_no_payload(refusal):
    assert isinstance(refusal, Refusal)
    assert not hasattr(refusal, "refusals")
    assert str(refusal) == refusal.message
