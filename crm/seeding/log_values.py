"""Values as clients see them: how the log of changes keeps them."""

from datetime import UTC, datetime


def moment(value: int | None) -> str | None:
    """RFC 3339 in UTC with milliseconds."""
    if value is None:
        return None
    return datetime.fromtimestamp(value / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def amount(value: int) -> str:
    """Ten-thousandths without needless zeros."""
    whole, part = divmod(value, 10_000)
    return f"{whole}.{part:04}".rstrip("0") if part else str(whole)


def agent(identifier: bytes | None) -> str | None:
    return identifier and "agt_" + identifier.hex()  # type: ignore[return-value] # an id is not empty


def company(identifier: bytes | None) -> str | None:
    return identifier and "com_" + identifier.hex()  # type: ignore[return-value] # an id is not empty


def department(identifier: bytes | None) -> str | None:
    return identifier and "dep_" + identifier.hex()  # type: ignore[return-value] # an id is not empty


def tag(identifier: bytes) -> str:
    return "tag_" + identifier.hex()
