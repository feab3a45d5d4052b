"""The mailing list: which way a subscription may be moved by hand (EM9-EM13)."""

from crm.errors import Path, TransitionError
from db.tables.enums import SubscriptionStatus

_NEXT: dict[SubscriptionStatus, tuple[SubscriptionStatus, ...]] = {
    SubscriptionStatus.SUBSCRIBED: (SubscriptionStatus.UNSUBSCRIBED,),
    SubscriptionStatus.UNSUBSCRIBED: (SubscriptionStatus.SUBSCRIBED,),
}


def allowed_transitions(status: SubscriptionStatus, *, archived: bool) -> tuple[SubscriptionStatus, ...]:
    """Where a person may move it from here: what a menu may offer. Nothing while the customer is archived."""
    return () if archived else _NEXT.get(status, ())


def change_status(from_: SubscriptionStatus, to: SubscriptionStatus, path: Path) -> SubscriptionStatus:
    """By hand. Where it is already there, it stays. Raises TransitionError naming what is allowed."""
    if to == from_:
        return to
    ways = allowed_transitions(from_, archived=False)
    if to not in ways:
        raise TransitionError(from_, to, ways, path)
    return to
