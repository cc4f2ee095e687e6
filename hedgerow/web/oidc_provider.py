"""The identity provider, spoken to over OpenID Connect: authorization code with PKCE.

Metadata and keys are read when first needed and kept; a token signed with a key that is
not among them lets them be read again, once. Only signatures of a private key count: an
algorithm that anybody who knows our secret could use is refused. What the provider says
of somebody is checked here; who that is to us decides ``meta.single_sign_on``.
"""

import logging
import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from hedgerow.errors import NotAuthenticated, ProviderUnavailable
from hedgerow.meta import role_maps
from hedgerow.settings import Settings

log = logging.getLogger(__name__)

ALGORITHMS = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "EdDSA"),
)
LEEWAY_S = 60
"""Seconds by which the provider's clock and ours may differ."""

WELL_KNOWN = "/.well-known/openid-configuration"


class Provider:
    """One provider; safe to use from several threads."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._issuer = settings.oidc_issuer.rstrip("/")
        self._lock = threading.Lock()
        self._metadata: Mapping[str, Any] | None = None
        self._keys: KeySet | None = None

    @property
    def name(self) -> str:
        """What the sign-in page calls it."""
        return self._settings.oidc_name

    def address(self, back: str, state: str, nonce: str, verifier: str) -> str:
        """Return where to send the browser; ``back`` is where it comes back to.

        Raises ProviderUnavailable.
        """
        with self._client(back) as client:
            url, _ = client.create_authorization_url(
                self._endpoint("authorization_endpoint"),
                state=state,
                nonce=nonce,
                code_verifier=verifier,
            )
        return str(url)

    def claims(
        self, code: str, back: str, nonce: str, verifier: str
    ) -> tuple[dict[str, Any], str]:
        """Return the checked claims behind a code, userinfo included, and the id_token.

        Raises NotAuthenticated for an answer that does not hold, ProviderUnavailable.
        """
        with self._client(back) as client:
            try:
                token = client.fetch_token(
                    self._endpoint("token_endpoint"),
                    code=code,
                    code_verifier=verifier,
                    grant_type="authorization_code",
                )
            except requests.RequestException as error:
                raise self._unavailable(error) from error
            except (AuthlibBaseError, ValueError) as error:
                raise _refused(f"the code was not taken: {error}") from error
            id_token = str(token.get("id_token") or "")
            try:
                found = self._checked(id_token, nonce)
            except (JoseError, ValueError) as error:
                raise _refused(f"the id_token does not hold: {error!r}") from error
            return self._completed(client, found), id_token

    def end(self, id_token: str | None, back: str) -> str | None:
        """Return the address that ends the provider's session; None: there is none."""
        if not self._settings.oidc_logout:
            return None
        try:
            found = self._read().get("end_session_endpoint")
        except ProviderUnavailable:
            return None  # signing out here must not depend on it
        told = {
            "client_id": self._settings.oidc_client_id,
            "post_logout_redirect_uri": back,
            **({"id_token_hint": id_token} if id_token else {}),
        }
        return f"{found}{'&' if '?' in found else '?'}{urlencode(told)}" if found else None

    def _checked(self, id_token: str, nonce: str) -> dict[str, Any]:
        keys = self._keys or self._read_keys()
        try:
            token = jwt.decode(id_token, keys, algorithms=ALGORITHMS)
        except InvalidKeyIdError:  # they have rotated
            token = jwt.decode(id_token, self._read_keys(), algorithms=ALGORITHMS)
        client_id = self._settings.oidc_client_id
        jwt.JWTClaimsRegistry(
            leeway=LEEWAY_S,
            iss={"essential": True, "value": self._read()["issuer"]},
            aud={"essential": True, "value": client_id},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True, "value": nonce},
        ).validate(token.claims)
        if token.claims.get("azp", client_id) != client_id:
            raise ValueError("azp names another client")
        return dict(token.claims)

    def _completed(self, client: Any, found: dict[str, Any]) -> dict[str, Any]:
        """Add what only userinfo says, if it speaks of the same person."""
        settings = self._settings
        wanted = (settings.oidc_role_claim, settings.oidc_email_claim)
        address = self._read().get("userinfo_endpoint")
        if not address or all(role_maps.claim(found, one) is not None for one in wanted):
            return found
        try:
            more = client.get(address).json()
        except (requests.RequestException, AuthlibBaseError, ValueError) as error:
            raise self._unavailable(error) from error
        if not isinstance(more, dict) or more.get("sub") != found["sub"]:
            raise _refused("the userinfo is somebody else's")
        return more | found

    def _client(self, back: str) -> Any:
        settings = self._settings
        client = OAuth2Session(
            settings.oidc_client_id,
            settings.oidc_client_secret or None,
            token_endpoint_auth_method=self._way_to_prove(),
            scope=settings.oidc_scopes,
            redirect_uri=back,
            code_challenge_method="S256",
            default_timeout=settings.oidc_timeout_s,
        )
        client.verify = settings.oidc_ca_file or True
        return client

    def _way_to_prove(self) -> str:
        if not self._settings.oidc_client_secret:
            return "none"
        offered = self._read().get("token_endpoint_auth_methods_supported")
        basic = offered is None or "client_secret_basic" in offered
        return "client_secret_basic" if basic else "client_secret_post"

    def _endpoint(self, name: str) -> str:
        found = self._read().get(name)
        if not isinstance(found, str):
            raise self._unavailable(f"its metadata has no {name}")
        return found

    def _read(self) -> Mapping[str, Any]:
        with self._lock:
            if self._metadata is None:
                found = self._get(self._issuer + WELL_KNOWN)
                if str(found.get("issuer", "")).rstrip("/") != self._issuer:
                    raise self._unavailable(f"it calls itself {found.get('issuer')!r}")
                self._metadata = found
            return self._metadata

    def _read_keys(self) -> KeySet:
        found = self._get(self._endpoint("jwks_uri"))
        try:
            self._keys = KeySet.import_key_set({"keys": found["keys"]})
        except (KeyError, JoseError, ValueError) as error:
            raise self._unavailable(error) from error
        return self._keys

    def _get(self, address: str) -> dict[str, Any]:
        try:
            reply = requests.get(
                address,
                timeout=self._settings.oidc_timeout_s,
                verify=self._settings.oidc_ca_file or True,
            )
            reply.raise_for_status()
            found = reply.json()
        except (requests.RequestException, OSError, ValueError) as error:
            raise self._unavailable(error) from error
        if not isinstance(found, dict):
            raise self._unavailable(f"{address} is no JSON object")
        return found

    def _unavailable(self, why: object) -> ProviderUnavailable:
        log.warning("The identity provider %s is of no use: %s.", self._issuer, why)
        return ProviderUnavailable(
            "The provider does not answer as it should.",
            hint="Try again in a minute; the server's log says why.",
        )


def _refused(why: str) -> NotAuthenticated:
    log.warning("An answer of the identity provider is refused: %s.", why)
    return NotAuthenticated(
        "The provider's answer does not hold.",
        hint="Begin again; the server's log says why.",
    )
