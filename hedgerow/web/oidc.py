"""Signing in at the identity provider.

By a link rather than a form: forms may lead to our own addresses only (``form-action``).
What went wrong in detail stands in the log, that it did in the audit log, too; the visitor
reads what to do on the sign-in page, where a password goes on working if passwords are
offered, and leads to the page that was wanted all along.
"""

import logging

from starlette.responses import Response

from hedgerow.errors import HedgerowError, NotAuthenticated, NotFound, ProviderUnavailable
from hedgerow.meta import single_sign_on
from hedgerow.meta.role_maps import Claims
from hedgerow.meta.tables_signin import SignInBegun
from hedgerow.replies import status_of
from hedgerow.web import signin
from hedgerow.web.identity import Provider
from hedgerow.web.visits import Visit

log = logging.getLogger(__name__)

BACK = "/signin/oidc/callback"
"""Where the provider sends browsers back to; it has to be registered there."""


def begin(visit: Visit) -> Response:
    """GET /signin/oidc — send the browser to the provider."""
    provider = _provider(visit)
    with visit.services.metadata.writing() as session:
        asked = single_sign_on.begin(
            session, visit.guest, signin.next_page(visit), visit.now
        )
    try:
        return visit.go(provider.address(visit.public_url + BACK, *asked))
    except ProviderUnavailable as error:
        return _failed(visit, error)


def callback(visit: Visit) -> Response:
    """GET /signin/oidc/callback — check what the provider says, and open a session."""
    provider, back = _provider(visit), visit.public_url + BACK
    rules = single_sign_on.rules(visit.services.settings)
    begun = _begun(visit)
    claims: Claims | None = None
    try:
        nonce, verifier = _checked(visit, begun)
        claims, id_token = provider.claims(visit.text("code"), back, nonce, verifier)
        with visit.services.metadata.writing() as session:
            user = single_sign_on.sign_in(session, claims, rules, visit.now)
            cookie = signin.open_session(visit, session, user, id_token=id_token)
    except (NotAuthenticated, ProviderUnavailable) as error:
        return _failed(visit, error, begun, claims)
    return signin.signed_in(visit, cookie, begun.next if begun else "/")


def _begun(visit: Visit) -> SignInBegun | None:
    """Return what was kept as this browser went to the provider; None: it did not."""
    with visit.services.metadata.writing() as session:
        return single_sign_on.came_back(
            session, visit.text("state"), visit.guest, visit.now
        )


def _checked(visit: Visit, begun: SignInBegun | None) -> tuple[str, str]:
    """Return nonce and verifier of an answer that is ours. Raises NotAuthenticated."""
    if begun is None or not single_sign_on.in_time(begun, visit.now):
        raise NotAuthenticated(
            "This sign-in was begun in another browser, or too long ago.",
            hint="Begin again.",
        )
    if visit.text("error") or not visit.text("code"):
        raise NotAuthenticated(
            "The provider did not let you in.",
            hint="Try again, there with another account, or ask an administrator.",
        )
    return begun.nonce, begun.verifier


def _provider(visit: Visit) -> Provider:
    if visit.services.provider is None:
        raise NotFound(
            "Single sign-on is not offered here.", hint="Sign in with e-mail and password."
        )
    return visit.services.provider


def _failed(
    visit: Visit,
    error: HedgerowError,
    begun: SignInBegun | None = None,
    claims: Claims | None = None,
) -> Response:
    """Say on the sign-in page that it did not work, and what to do; keep that it was so."""
    status = status_of(error.code)
    log.warning("Single sign-on failed (%d): %s", status, error)
    client = visit.request.client
    found = {"why": error.what, "address": client.host if client else ""}
    with visit.services.metadata.writing() as session:
        by = single_sign_on.rules(visit.services.settings)
        single_sign_on.note_failure(session, claims, by, found, visit.now)
    then = begun.next if begun else None
    return signin.form(visit, error, status=status, then=then)
