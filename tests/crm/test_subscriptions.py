"""The mailing list: what moves by hand, and what events do."""

import pytest

from crm.activities import interactions
from crm.customers import records, subscription_status
from crm.errors import TransitionError
from db.tables.enums import InteractionKind, Permission, Role, SubscriptionStatus
from db.values import ids
from tests.crm.conftest import named
from tests.support import factories

ALLOWED = {
    (SubscriptionStatus.SUBSCRIBED, SubscriptionStatus.UNSUBSCRIBED),
    (SubscriptionStatus.UNSUBSCRIBED, SubscriptionStatus.SUBSCRIBED),
}


@pytest.mark.parametrize("to", list(SubscriptionStatus))
@pytest.mark.parametrize("start", list(SubscriptionStatus))
async def test_by_hand_only_two_of_sixteen_pairs_move(does, save, start, to):
    """EM9-EM11: same to same is no error."""
    await save(customer := factories.customer(subscription_status=start))
    if start == to or (start, to) in ALLOWED:
        done = await does(records.update, named(customer), {"subscription_status": to})
        assert done.customer.subscription_status == to
        return
    with pytest.raises(TransitionError) as refused:
        await does(records.update, named(customer), {"subscription_status": to})
    allowed = [two.name for one, two in ALLOWED if one is start]
    assert (refused.value.from_, refused.value.to, list(refused.value.allowed)) == (start.name, to.name, allowed)
    assert refused.value.path == ("input", "subscriptionStatus")


@pytest.mark.parametrize("status", list(SubscriptionStatus))
def test_a_menu_offers_what_can_be_done(status):
    assert list(subscription_status.allowed_transitions(status, archived=False)) == [
        to for one, to in ALLOWED if one is status
    ]
    assert subscription_status.allowed_transitions(status, archived=True) == ()


@pytest.mark.parametrize("status", list(SubscriptionStatus))
async def test_a_new_customer_starts_anywhere(does, status):
    assert (await does(records.create, {"name": "An", "subscription_status": status})).customer.subscription_status == (
        status
    )


@pytest.mark.parametrize("start", list(SubscriptionStatus))
@pytest.mark.parametrize(
    ("kind", "to"),
    [
        pytest.param(InteractionKind.OPT_IN, SubscriptionStatus.SUBSCRIBED, id="opt in"),
        pytest.param(InteractionKind.OPT_OUT, SubscriptionStatus.UNSUBSCRIBED, id="opt out"),
        pytest.param(InteractionKind.DELIVERY_FAILED, SubscriptionStatus.DELETED, id="delivery failed"),
    ],
)
async def test_events_move_it_from_anywhere(does, save, kind, to, start):
    """EM12, EM13."""
    await save(customer := factories.customer(subscription_status=start))
    done = await does(interactions.record, named(customer), {"kind": kind})
    assert done.customer.subscription_status == to


async def test_only_consent_needs_a_permission_of_its_own(does, refuses, save, someone):
    await save(customer := factories.customer(subscription_status=SubscriptionStatus.SUBSCRIBED))
    viewer = someone(Role.ADMIN, revoke=(Permission.CONSENT_RECORD,))
    opt_in = {"kind": InteractionKind.OPT_IN}
    assert await refuses(interactions.record, named(customer), opt_in, by=viewer) == ("FORBIDDEN", "input.kind")
    done = await does(interactions.record, named(customer), {"kind": InteractionKind.OPT_OUT}, by=viewer)
    assert done.customer.subscription_status == SubscriptionStatus.UNSUBSCRIBED


async def test_events_of_an_archived_customer_wait(does, save, everything):
    """EM6."""
    from db import tables

    await save(
        customer := factories.customer(
            archived_at=ids.current_time(), subscription_status=SubscriptionStatus.SUBSCRIBED
        )
    )
    done = await does(interactions.record, named(customer), {"kind": InteractionKind.OPT_OUT})
    assert done.customer.subscription_status == SubscriptionStatus.SUBSCRIBED
    assert [row.pending for row in await everything(tables.Interaction)] == [True]
