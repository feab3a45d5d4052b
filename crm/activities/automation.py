"""What happens to a customer by itself when something is recorded (VC6-VC12, EM9-EM13)."""

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
"""Which rule counts an interaction of a kind, and what must be so for it to count."""

SUBSCRIPTION_EVENTS: Final[Mapping[InteractionKind, SubscriptionStatus]] = {
    InteractionKind.OPT_IN: SubscriptionStatus.SUBSCRIBED,
    InteractionKind.OPT_OUT: SubscriptionStatus.UNSUBSCRIBED,
    InteractionKind.DELIVERY_FAILED: SubscriptionStatus.DELETED,
}
"""Where an event moves the subscription, wherever it is."""


def rule_for(interaction: Any) -> AutomationRule | None:
    """The rule that counts this interaction; None where none does."""
    counted = RULES_BY_INTERACTION.get(InteractionKind(interaction.kind))
    if counted is None or getattr(interaction, counted[1]) != counted[2]:
        return None
    return counted[0]


def apply_automation(state: LoadedCustomer, interaction: Any, settings: tables.Workspace) -> None:
    """Moves a LEAD that has paid, come or written to CUSTOMER, and the subscription where the event says so."""
    row = state.row
    rule = rule_for(interaction)
    on = settings.automation_enabled and rule is not None and int(rule) in settings.automation_rules
    if on and row.relationship_status == RelationshipStatus.LEAD:
        row.relationship_status = int(RelationshipStatus.CUSTOMER)
    to = SUBSCRIPTION_EVENTS.get(InteractionKind(interaction.kind))
    if to is not None:
        row.subscription_status = int(to)
