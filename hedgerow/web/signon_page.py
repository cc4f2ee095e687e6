"""Settings → Sign-on: what is set about the identity provider, and what to register there.

Everything is set by the environment, so the page shows and explains; secrets never.
"""

from typing import Any

from starlette.responses import Response

from hedgerow.meta import role_maps, single_sign_on
from hedgerow.meta.role_maps import Grant
from hedgerow.settings import Settings
from hedgerow.web.oidc import BACK
from hedgerow.web.settings_pages import render
from hedgerow.web.visits import Visit


def page(visit: Visit) -> Response:
    """GET …/settings/signon — in full for administrators of the server."""
    settings = visit.services.settings
    full = visit.who.is_admin and visit.services.provider is not None
    names = {one.id: one.name for one in visit.services.directory.all()}
    rules = single_sign_on.rules(settings)
    return render(
        visit,
        "signon",
        "settings_signon.html",
        provider=visit.services.provider,
        facts=_facts(settings) if full else [],
        roles=[(value, _given(one, names)) for value, one in rules.role_map.items()]
        if full
        else [],
        claim=settings.oidc_role_claim,
        back=visit.public_url + BACK,
        after=f"{visit.public_url}/signin",
    )


def _facts(settings: Settings) -> list[tuple[str, str]]:
    domains = settings.oidc_allowed_domains
    made = f"made at the first sign-in{', for ' + domains if domains else ''}"
    proof = "a secret and PKCE" if settings.oidc_client_secret else "PKCE alone"
    return [
        ("Issuer", settings.oidc_issuer),
        ("Client", settings.oidc_client_id),
        ("Proves itself by", proof),
        ("Asked for", settings.oidc_scopes),
        ("Accounts", made if settings.oidc_auto_create else "made by hand"),
        ("A verified address", "finds its account" if settings.oidc_link_by_email else "finds no account"),
        ("Passwords", "for administrators only" if settings.oidc_only else "work too"),
        ("Signing out", "ends the provider's session too" if settings.oidc_logout else "ends it here"),
    ]  # fmt: skip


def _given(grant: Grant, names: dict[int, str]) -> str:
    """Return what a value of the claim gives, in words."""
    if grant.is_admin:
        return f"{role_maps.ADMINISTRATOR} of the server"
    if grant.everywhere:
        return f"{grant.everywhere} in every project"
    parts: list[Any] = [
        f"{role} in {names.get(number, f'project {number}, which is not there')}"
        for number, role in grant.projects.items()
    ]
    return ", ".join(parts) or "nothing"
