"""The mailing list: allowed manual changes of the subscription status (EM9-EM13)."""

from crm.errors import Path, TransitionError
from db.tables.enums import SubscriptionStatus

_NEXT_STATUSES: dict[SubscriptionStatus, tuple[SubscriptionStatus, ...]] = {
    SubscriptionStatus.SUBSCRIBED: (SubscriptionStatus.UNSUBSCRIBED,),
    SubscriptionStatus.UNSUBSCRIBED: (SubscriptionStatus.SUBSCRIBED,),
}


def allowed_transitions(status: SubscriptionStatus, *, archived: bool) -> tuple[SubscriptionStatus, ...]:
    """The statuses that a person can choose from here; none while the customer is archived."""
    return () if archived else _NEXT_STATUSES.get(status, ())


def change_status(from_: SubscriptionStatus, to: SubscriptionStatus, path: Path) -> SubscriptionStatus:
    """Checks a manual change; the same status is always allowed. Raises TransitionError with the allowed statuses."""
    if to == from_:
        return to
    allowed = allowed_transitions(from_, archived=False)
    if to not in allowed:
        raise TransitionError(from_, to, allowed, path)
    return to
