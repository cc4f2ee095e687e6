"""Signing in at the identity provider: authorization code with PKCE, state and nonce.

The protocol is Authlib's; who somebody is and what they may is ``people.oidc``. The
provider's metadata and keys are read when first needed and kept; keys that rotated are
read again. A provider that is down is one sentence on the sign-in page, where the local
form goes on working. An administrator can try a sign-in without being signed in by it.
"""

from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.base_client.errors import MismatchingStateError, OAuthError
from authlib.integrations.flask_client import OAuth
from flask import (
    Blueprint,
    current_app,
    g,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from joserfc.errors import JoseError
from werkzeug.wrappers import Response

from app import demo
from app.audit import Object, record
from app.errors import AccountRefused, NotFound, Unreachable
from app.people import oidc
from app.telemetry.send import identify_user, track_event, track_failure
from app.views import context
from app.views.addresses import public
from app.views.context import commit, db, now
from app.views.signin import HINT, begin_session, own_path

blueprint = Blueprint("oidc", __name__, url_prefix="/login/oidc")

LEEWAY_S = 60
"""Clock skew allowed; Authlib's own is 120."""


def client() -> Any:
    """Return Authlib's client of the provider as configured now; NotFound where none is."""
    config = current_app.config
    usable = config["OIDC_ISSUER"] and config["OIDC_CLIENT_ID"]
    if not config["ENABLE_OIDC"] or config["AUTH_METHOD"] == "local" or not usable:
        raise NotFound("Single sign-on is not offered here.")
    names = ("ISSUER", "CLIENT_ID", "CLIENT_SECRET", "SCOPES", "CA_FILE", "TIMEOUT_S")
    key = tuple(config[f"OIDC_{name}"] for name in names)
    known = current_app.extensions.get("oidc")
    if known is None or known[0] != key:
        known = (key, _made(config))
        current_app.extensions["oidc"] = known
    return known[1]


def _made(config: Any) -> Any:
    return OAuth(current_app).register(
        "provider",
        client_id=config["OIDC_CLIENT_ID"],
        client_secret=config["OIDC_CLIENT_SECRET"] or None,
        server_metadata_url=_issuer() + "/.well-known/openid-configuration",
        client_kwargs={
            "scope": config["OIDC_SCOPES"],
            "code_challenge_method": "S256",
            "default_timeout": config["OIDC_TIMEOUT_S"],
            "verify": config["OIDC_CA_FILE"] or True,
            **(
                {}
                if config["OIDC_CLIENT_SECRET"]
                else {"token_endpoint_auth_method": "none"}
            ),
        },
    )


def _issuer() -> str:
    return str(current_app.config["OIDC_ISSUER"]).rstrip("/")


def _redirect_uri() -> str:
    config = current_app.config
    if config["OIDC_REDIRECT_URI"]:
        return str(config["OIDC_REDIRECT_URI"])
    if config["PUBLIC_URL"]:
        return str(config["PUBLIC_URL"]).rstrip("/") + "/login/oidc/callback"
    return url_for("oidc.callback", _external=True)


@blueprint.get("")
def begin() -> Response | tuple[str, int]:
    """Send the browser to the provider."""
    session["oidc_next"] = own_path(request.args.get("next"))
    session["oidc_test"] = request.args.get("test") == "1"
    if session["oidc_test"]:
        context.demand("administer")
    try:
        answer: Response = client().authorize_redirect(_redirect_uri())
    except (requests.RequestException, AuthlibBaseError, ValueError, RuntimeError) as error:
        return _failed("oidc_provider", error)
    return answer


@blueprint.get("/callback")
def callback() -> Response | str | tuple[str, int]:
    """Check the provider's answer and sign in, or show an administrator what it says."""
    try:
        claims = _claims(client())
    except MismatchingStateError as error:
        return _failed("oidc_state", error)
    except OAuthError as error:
        return _failed(
            "oidc_denied" if request.args.get("error") else "oidc_provider", error
        )
    except (JoseError, AuthlibBaseError, AccountRefused) as error:
        return _failed("oidc_claim", error)
    except (requests.RequestException, ValueError, RuntimeError, Unreachable) as error:
        return _failed("oidc_provider", error)
    if session.pop("oidc_test", False):
        session.pop(HINT, None)
        return _shown(claims)
    context.close()
    g.db = context.database().session(writes=True)  # the provider comes back by GET
    try:
        known = oidc.sign_in(
            db(), claims, oidc.rules(current_app.config), context.settings()
        )
    except AccountRefused as error:
        db().rollback()
        return _failed(error.reason, error)
    return _welcome(known)


@blueprint.get("/ended")
def ended() -> Response | tuple[str, int, dict[str, str]]:
    """Send a browser that has signed out here on to the provider, to end its session too.

    By a page that moves on: forms may lead to our own addresses only (``form-action``).
    """
    target = _end_at_provider(session.pop(HINT, None))
    if target is None:
        return redirect(url_for("signin.sign_in"))
    name = current_app.config["OIDC_NAME"]
    page = render_template("signed_out.html", target=target, name=name)
    return page, HTTPStatus.OK, {"Refresh": f"0; url={target}"}


def _end_at_provider(hint: str | None) -> str | None:
    """Return the address that ends the provider's session; None where there is none.

    ``hint`` is the id_token of the sign-in: with it providers ask nothing back.
    """
    if not current_app.config["OIDC_LOGOUT"]:
        return None
    try:
        found = client().load_server_metadata().get("end_session_endpoint")
    except (requests.RequestException, AuthlibBaseError, ValueError, NotFound) as error:
        current_app.logger.warning("The provider's session was not ended: %s", error)
        return None
    if not found:
        return None
    told = {
        "client_id": current_app.config["OIDC_CLIENT_ID"],
        "post_logout_redirect_uri": public("signin.sign_in"),
        **({"id_token_hint": hint} if hint else {}),
    }
    return f"{found}{'&' if '?' in found else '?'}{urlencode(told)}"


def _claims(provider: Any) -> dict[str, Any]:
    """Return the checked claims, completed by the userinfo of the same person."""
    metadata = provider.load_server_metadata()
    if str(metadata.get("issuer", "")).rstrip("/") != _issuer():
        raise Unreachable("The provider calls itself differently than OIDC_ISSUER.")
    token = provider.authorize_access_token(leeway=LEEWAY_S)
    if current_app.config["OIDC_LOGOUT"]:
        session[HINT] = token.get("id_token")
    claims = token.get("userinfo")
    if not claims:  # Authlib would let an answer without id_token pass
        raise AccountRefused("The answer has no id_token.", reason="oidc_claim")
    found = dict(claims)
    wanted = ("OIDC_ROLES_CLAIM", "OIDC_USERNAME_CLAIM", "OIDC_EMAIL_CLAIM")
    missing = any(oidc.claim(found, current_app.config[name]) is None for name in wanted)
    if missing and metadata.get("userinfo_endpoint"):
        more = dict(provider.userinfo(token=token))
        if more.get("sub") != found["sub"]:
            raise AccountRefused("The userinfo is somebody else's.", reason="oidc_claim")
        found = more | found
    return found


def _failed(reason: str, error: Exception) -> tuple[str, int]:
    """Say on the sign-in page that it did not work; the log knows why."""
    current_app.logger.warning("OIDC login failed (%s): %s", reason, error)
    _note(reason)
    if reason == "oidc_provider":
        track_failure("oidc", error)
    track_event(None, "auth.login_failed", {"auth_method": "oidc", "reason": reason})
    shown = AccountRefused(
        "Signing in did not work.",
        reason=reason,
        hint="Try again, or ask an administrator; the log says why.",
    )
    page = render_template(
        "signin.html",
        error=shown,
        local=current_app.config["AUTH_METHOD"] != "oidc",
        username="",
        next=session.get("oidc_next", ""),
        oidc=current_app.config["OIDC_NAME"],
        keep_days=current_app.config["SESSION_MAX_DAYS"],
        demo=demo if current_app.config["DEMO_MODE"] else None,
    )
    return page, HTTPStatus.UNAUTHORIZED


def _note(reason: str) -> None:
    if current_app.config["READ_ONLY"]:
        return
    with context.database().writing() as writing:
        changes = {"reason": (None, reason)}
        record(writing, context.actor(), "auth.refused", now(), changes=changes)


def _welcome(known: oidc.Known) -> Response:
    person, target = known.user, session.pop("oidc_next", None)
    first = begin_session(person, "oidc", keep=False)
    who = Object(type="user", id=person.id, label=person.display_name)
    if not current_app.config["READ_ONLY"]:
        record(db(), context.actor(), "auth.login", now(), on=who)
        if known.role_before != person.role:
            changes = {"role": (known.role_before, person.role)}
            record(db(), context.actor(), "user.role", now(), on=who, changes=changes)
    commit()
    identify_user(person, auth_method="oidc")
    if known.made:
        track_event(person.id, "auth.signup", {"signup_method": "oidc"})
    if known.role_before != person.role:
        changed = {
            "old_role": known.role_before,
            "new_role": person.role,
            "by": "oidc_claim",
        }
        track_event(person.id, "admin.user_role_changed", changed)
    track_event(person.id, "auth.login", {"auth_method": "oidc", "is_first_login": first})
    return redirect(own_path(target))


def _shown(claims: dict[str, Any]) -> str:
    """Show an administrator the claims and the role they give; nobody is signed in."""
    context.demand("administer")
    try:
        role = oidc.role_of(claims, oidc.rules(current_app.config))
    except AccountRefused:
        role = ""
    return render_template("oidc_test.html", claims=sorted(claims.items()), role=role)
