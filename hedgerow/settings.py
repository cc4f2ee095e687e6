"""What an operator may choose: every setting, its unit and its default.

Read once, from the environment, into a frozen struct that the composition root hands
on. A misspelt name stops the start. ``docs/settings.md`` is generated from here.
"""

import os
from collections.abc import Mapping
from typing import Literal

import msgspec

from hedgerow.errors import BadSetting


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an operator may choose."""

    data: str = "hedgerow-data"
    """Folder of the inbox, the events database and the metadata; created if missing."""

    host: str = "127.0.0.1"
    """Address to listen on. ``0.0.0.0`` reaches beyond this machine."""

    port: int = 8000
    """TCP port to listen on."""

    public_url: str = ""
    """Address people and SDKs use, such as ``https://stats.example.org``; empty: as asked."""

    database_url: str = ""
    """SQLAlchemy URL of the metadata; empty: SQLite in the data folder."""

    max_body_mib: int = 20
    """Largest capture request accepted, before and after inflating, in MiB."""

    query_timeout_s: float = 30.0
    """Seconds after which a query is cancelled."""

    query_threads: int = 4
    """Queries answered at the same time; more wait their turn."""

    memory_mib: int = 512
    """Memory everything may use together, in MiB, at least 384: shared out at the start."""

    inbox_max_mib: int = 4096
    """Size of the inbox from which capture answers 503, in MiB."""

    geoip_db: str = ""
    """A MaxMind-format file; empty: events get no place."""

    trusted_proxies: int = 0
    """Number of proxies in front whose ``X-Forwarded-For`` is believed."""

    oidc_issuer: str = ""
    """Address of the OpenID provider people may sign in at; empty: passwords only."""

    oidc_client_id: str = ""
    """What the provider calls this server."""

    oidc_client_secret: str = ""
    """As given by the provider; empty: a public client, which proves itself by PKCE alone."""

    oidc_scopes: str = "openid profile email"
    """What is asked of the provider, with blanks between; some want ``groups`` too."""

    oidc_name: str = "single sign-on"
    """Name of the provider on the sign-in page: *Sign in with …*."""

    oidc_email_claim: str = "email"
    """Claim with the address; dots lead into objects."""

    oidc_name_claim: str = "name"
    """Claim with the name people are shown by."""

    oidc_role_claim: str = "groups"
    """Claim that roles are made of: a text or a list of texts."""

    oidc_role_map: str = ""
    """JSON from a value of that claim to a role, such as ``{"staff": "viewer"}``; empty: roles are given by hand."""

    oidc_auto_create: bool = False
    """On: the first sign-in at the provider makes an account."""

    oidc_allowed_domains: str = ""
    """Domains of addresses that get an account by themselves, with commas; empty: all."""

    oidc_link_by_email: bool = False
    """On: a verified address finds the account that has it."""

    oidc_trust_email: bool = False
    """On: addresses count as verified though the provider does not say so."""

    oidc_only: bool = False
    """On: passwords are for administrators of the server only, at ``/signin?local=1``."""

    oidc_logout: bool = False
    """On: signing out ends the provider's session too."""

    oidc_ca_file: str = ""
    """Certificates the provider is checked with; empty: the usual ones."""

    oidc_timeout_s: float = 10.0
    """Seconds to wait for the provider."""

    smtp_host: str = ""
    """Mail server that alerts go out by; empty: webhooks only."""

    smtp_port: int = 587
    """Its TCP port."""

    smtp_user: str = ""
    """Name to sign in there with; empty: none is wanted."""

    smtp_password: str = ""
    """Password to sign in there with."""

    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    """How the way there is kept secret: ``starttls`` (587), ``tls`` (465) or ``none``."""

    mail_from: str = ""
    """Address mails come from; empty: ``hedgerow@`` and the mail server's name."""

    alert_private_networks: bool = False
    """On: webhooks of alerts may call addresses of this machine and its network."""


OF_COMMANDS = frozenset(
    {"HEDGEROW_TOKEN", "HEDGEROW_KEY", "HEDGEROW_URL", "HEDGEROW_PROJECT"}
)
"""Twins of command options: click reads them."""


def from_environment(environ: Mapping[str, str], prefix: str = "HEDGEROW_") -> Settings:
    """Read ``HEDGEROW_*``; one unknown or ill-typed name stops the start."""
    named = {n.lower(): n for n in environ if n.startswith(prefix) and n not in OF_COMMANDS}
    given = {k.removeprefix(prefix.lower()): environ[name] for k, name in named.items()}
    try:
        return msgspec.convert(given, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise BadSetting(f"{error}.", hint="See docs/settings.md for all names.") from error


def read() -> Settings:
    """Read the settings of this process. Raises BadSetting."""
    return from_environment(os.environ)
