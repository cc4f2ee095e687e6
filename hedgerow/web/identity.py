"""What the screens ask of an identity provider; loaded only where one is set.

Most servers have none, and the library of the protocol takes longer to load than all
screens together.
"""

from importlib import import_module
from typing import Any, Protocol

from hedgerow.errors import BadSetting
from hedgerow.settings import Settings

SPEAKS_OIDC = "hedgerow.web.oidc_provider"


class Provider(Protocol):
    """Somewhere people may sign in besides here."""

    @property
    def name(self) -> str:
        """What the sign-in page calls it."""
        ...

    def address(self, back: str, state: str, nonce: str, verifier: str) -> str:
        """Return where to send the browser; ``back`` is where it comes back to.

        Raises ProviderUnavailable.
        """
        ...

    def claims(
        self, code: str, back: str, nonce: str, verifier: str
    ) -> tuple[dict[str, Any], str]:
        """Return the checked claims behind a code, userinfo included, and the id_token.

        Raises NotAuthenticated for an answer that does not hold, ProviderUnavailable.
        """
        ...

    def end(self, id_token: str | None, back: str) -> str | None:
        """Return the address that ends the provider's session; None: there is none."""
        ...


def provider_of(settings: Settings) -> Provider | None:
    """Return the provider of these settings; None: people sign in with passwords.

    Raises BadSetting where the library of the protocol is not installed.
    """
    if not settings.oidc_issuer or not settings.oidc_client_id:
        return None
    try:
        made: Provider = import_module(SPEAKS_OIDC).Provider(settings)
    except ModuleNotFoundError as error:
        raise BadSetting(
            f"HEDGEROW_OIDC_ISSUER is set, and single sign-on needs {error.name!r}.",
            hint="Install Hedgerow with its extra: pip install '.[hedgerow]'.",
        ) from error
    return made
