"""Tokens, keys and passwords: how they are made and how they are kept.

Keys and links are 256 random bits, so a plain SHA-256 is enough to keep them: there is
nothing to guess. Passwords are guessable, so they are kept by argon2, which is slow and
hungry on purpose.
"""

import hashlib
import secrets
import string
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from hedgerow.errors import InvalidInput

ALPHABET = string.ascii_letters + string.digits
LENGTH = 43
"""Characters of 62 kinds that hold 256 bits."""

PASSWORD_MIN = 10
PASSWORD_MAX = 1000
"""Characters; longer ones would only keep argon2 busy."""

_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)  # 19 MiB, OWASP


def project_token() -> str:
    """Return a new project token: public, it only lets events in."""
    return "phc_" + _random()


def api_key() -> str:
    """Return a new personal API key."""
    return "phx_" + _random()


def link_token() -> str:
    """Return what makes a link or a cookie unguessable."""
    return _random()


def short_id() -> str:
    """Return eight characters for the address of an insight."""
    return "".join(secrets.choice(ALPHABET) for _ in range(8))


def digest(secret: str) -> str:
    """Return what is kept of a random secret, as 64 hex digits."""
    return hashlib.sha256(secret.encode()).hexdigest()


def password_hash(password: str) -> str:
    """Return what is kept of a password. Raises InvalidInput for one too short."""
    if not PASSWORD_MIN <= len(password) <= PASSWORD_MAX:
        raise InvalidInput(
            f"The password has {len(password)} characters.",
            hint=f"Choose one of {PASSWORD_MIN} to {PASSWORD_MAX} characters.",
            attr="password",
        )
    return _HASHER.hash(password)


def password_fits(password: str, kept: str | None) -> bool:
    """Return whether ``password`` is the one kept.

    Takes the same time where nothing is kept: how long it takes must not tell who has an
    account here.
    """
    try:
        _HASHER.verify(kept or _nobody(), password[:PASSWORD_MAX])
    except (VerifyMismatchError, InvalidHashError):
        return False
    return kept is not None


@cache
def _nobody() -> str:
    """Return what nobody's password fits; made when first needed, since it is slow."""
    return _HASHER.hash(secrets.token_urlsafe(16))


def _random() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
