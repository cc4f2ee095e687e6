"""Signing in at the identity provider.

By a link rather than a form: forms may lead to our own addresses only (``form-action``). What went wrong in detail stands in the log; the visitor reads what
to do on the sign-in page, where a password goes on working if passwords are offered.
"""

import logging

from starlette.responses import Response

from hedgerow.errors import HedgerowError, NotAuthenticated, NotFound, ProviderUnavailable
from hedgerow.meta import single_sign_on
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
    try:
        begun = _begun(visit)
        claims, id_token = provider.claims(
            visit.text("code"), back, begun.nonce, begun.verifier
        )
        with visit.services.metadata.writing() as session:
            user = single_sign_on.sign_in(session, claims, rules, visit.now)
            cookie = signin.open_session(visit, session, user, id_token=id_token)
    except (NotAuthenticated, ProviderUnavailable) as error:
        return _failed(visit, error)
    return signin.signed_in(visit, cookie, begun.next)


def _begun(visit: Visit) -> SignInBegun:
    """Return what was kept as this browser went to the provider. Raises NotAuthenticated."""
    with visit.services.metadata.writing() as session:
        begun = single_sign_on.came_back(
            session, visit.text("state"), visit.guest, visit.now
        )
    if begun is None:
        raise NotAuthenticated(
            "This sign-in was begun in another browser, or too long ago.",
            hint="Begin again.",
        )
    if visit.text("error") or not visit.text("code"):
        raise NotAuthenticated(
            "The provider did not let you in.",
            hint="Try again, there with another account, or ask an administrator.",
        )
    return begun


def _provider(visit: Visit) -> Provider:
    if visit.services.provider is None:
        raise NotFound(
            "Single sign-on is not offered here.", hint="Sign in with e-mail and password."
        )
    return visit.services.provider


def _failed(visit: Visit, error: HedgerowError) -> Response:
    """Say on the sign-in page that it did not work, and what to do."""
    status = status_of(error.code)
    log.warning("Single sign-on failed (%d): %s", status, error)
    return signin.form(visit, error, status=status)
