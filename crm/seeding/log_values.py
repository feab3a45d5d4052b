"""Values in the form that clients see and the change log stores."""

from datetime import UTC, datetime


def format_time(value: int | None) -> str | None:
    """RFC 3339 in UTC with milliseconds."""
    if value is None:
        return None
    return datetime.fromtimestamp(value / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def format_amount(value: int) -> str:
    """A decimal from ten-thousandths, without trailing zeros."""
    whole, part = divmod(value, 10_000)
    return f"{whole}.{part:04}".rstrip("0") if part else str(whole)


def agent_wire_id(identifier: bytes | None) -> str | None:
    return identifier and "agt_" + identifier.hex()  # type: ignore[return-value] # an id is not empty


def company_wire_id(identifier: bytes | None) -> str | None:
    return identifier and "com_" + identifier.hex()  # type: ignore[return-value] # an id is not empty


def department_wire_id(identifier: bytes | None) -> str | None:
    return identifier and "dep_" + identifier.hex()  # type: ignore[return-value] # an id is not empty


def tag_wire_id(identifier: bytes) -> str:
    return "tag_" + identifier.hex()
