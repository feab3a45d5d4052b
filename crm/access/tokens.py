"""Tokens of sessions and keys: `ses_` or `key_`, the id of the row in 32 hexadecimal digits, and a secret.

The secret is 32 random bytes in base64url. Of it only the SHA-256 is stored.
"""

import re
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

_TOKEN: Final = re.compile(r"(ses|key)_([0-9a-f]{32})([A-Za-z0-9_-]{43})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Token:
    """What the caller is given, once, and what is stored for it."""

    text: str
    secret_hash: bytes


@dataclass(frozen=True, slots=True)
class TokenParts:
    """What a token that was sent says: which row it means, and the hash that the row must have."""

    prefix: str
    identifier: bytes
    secret_hash: bytes


def create_token(prefix: str, identifier: bytes) -> Token:
    """A new token of the row with that id: `ses` for a session, `key` for a key."""
    secret = urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b"=")
    return Token(f"{prefix}_{identifier.hex()}{secret.decode()}", sha256(secret).digest())


def parse_token(token: str) -> TokenParts | None:
    """None for a text that is no token."""
    found = _TOKEN.fullmatch(token)
    return found and TokenParts(found[1], bytes.fromhex(found[2]), sha256(found[3].encode()).digest())
