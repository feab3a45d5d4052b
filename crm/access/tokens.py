"""Tokens of sessions and API keys: `ses_` or `key_`, the row's id in 32 hexadecimal digits, and a secret.

The secret is 32 random bytes in base64url. Only its SHA-256 hash is stored."""

import re
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

_TOKEN: Final = re.compile(r"(ses|key)_([0-9a-f]{32})([A-Za-z0-9_-]{43})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Token:
    """The token text, shown to the caller once, and the hash to store."""

    text: str
    secret_hash: bytes


@dataclass(frozen=True, slots=True)
class TokenParts:
    """The row that a received token refers to, and the hash that the row must have."""

    prefix: str
    identifier: bytes
    secret_hash: bytes


def create_token(prefix: str, identifier: bytes) -> Token:
    """A new token for the row with that id: prefix `ses` for a session, `key` for an API key."""
    secret = urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b"=")
    return Token(f"{prefix}_{identifier.hex()}{secret.decode()}", sha256(secret).digest())


def parse_token(token: str) -> TokenParts | None:
    """The parts of a token; None if the text is not a token."""
    match = _TOKEN.fullmatch(token)
    return match and TokenParts(match[1], bytes.fromhex(match[2]), sha256(match[3].encode()).digest())
