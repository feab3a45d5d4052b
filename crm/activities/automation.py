"""Automatic changes of a customer after an interaction (VC6-VC12, EM9-EM13)."""

from collections.abc import Mapping
from typing import Any, Final

from crm.customers.loaded_customer import LoadedCustomer
from db import tables
from db.tables.enums import (
    AutomationRule,
    Direction,
    InteractionKind,
    InteractionOutcome,
    RelationshipStatus,
    SubscriptionStatus,
)

RULES_BY_INTERACTION: Final[Mapping[InteractionKind, tuple[AutomationRule, str, int]]] = {
    InteractionKind.PAYMENT: (AutomationRule.PAYMENT, "outcome", InteractionOutcome.PAID),
    InteractionKind.APPOINTMENT: (AutomationRule.APPOINTMENT, "outcome", InteractionOutcome.ATTENDED),
    InteractionKind.EVENT: (AutomationRule.EVENT, "outcome", InteractionOutcome.ATTENDED),
    InteractionKind.MESSAGE: (AutomationRule.MESSAGE, "direction", Direction.INBOUND),
}
"""For each kind of interaction the rule that counts it, and the column and value that it requires."""

SUBSCRIPTION_EVENTS: Final[Mapping[InteractionKind, SubscriptionStatus]] = {
    InteractionKind.OPT_IN: SubscriptionStatus.SUBSCRIBED,
    InteractionKind.OPT_OUT: SubscriptionStatus.UNSUBSCRIBED,
    InteractionKind.DELIVERY_FAILED: SubscriptionStatus.DELETED,
}
"""The subscription status that an event sets, whatever it was before."""


def rule_for(interaction: Any) -> AutomationRule | None:
    """The rule that counts this interaction; None if no rule does."""
    requirement = RULES_BY_INTERACTION.get(InteractionKind(interaction.kind))
    if requirement is None or getattr(interaction, requirement[1]) != requirement[2]:
        return None
    return requirement[0]


def apply_automation(state: LoadedCustomer, interaction: Any, settings: tables.Workspace) -> None:
    """Makes a LEAD with a counted interaction a CUSTOMER, and sets the subscription status if the event requires it."""
    row = state.row
    rule = rule_for(interaction)
    is_enabled = settings.automation_enabled and rule is not None and int(rule) in settings.automation_rules
    if is_enabled and row.relationship_status == RelationshipStatus.LEAD:
        row.relationship_status = int(RelationshipStatus.CUSTOMER)
    new_status = SUBSCRIPTION_EVENTS.get(InteractionKind(interaction.kind))
    if new_status is not None:
        row.subscription_status = int(new_status)
