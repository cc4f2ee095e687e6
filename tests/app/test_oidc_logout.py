"""Signing out at the identity provider, too: only where wanted, and never at a price."""

from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from app.config import Config
from tests.identity_provider import Provider


class Ending(Provider):
    """A provider that can end its own session."""

    ends = True

    def give(self, path):
        found = super().give(path)
        if self.ends and "jwks_uri" in found:
            found["end_session_endpoint"] = f"{self.url}/logout"
        return found


@pytest.fixture
def provider():
    made = Ending()
    yield made
    made.close()


@pytest.fixture
def signed_in(database, tmp_path, provider, furnished):
    app = furnished(
        Config(DATA_DIR=tmp_path, AUTH_METHOD="both", OIDC_ISSUER=provider.url,
               OIDC_CLIENT_ID="tt", OIDC_AUTO_CREATE=True, OIDC_LOGOUT=True,
               PUBLIC_URL="https://time.example/tt", SESSION_COOKIE_PATH="/")
    )  # fmt: skip
    app.extensions["set_up"] = True
    return app, app.test_client(), provider


def come(client, provider):
    back = provider.authorize(client.get("/login/oidc").headers["Location"])
    client.get(f"/login/oidc/callback?{urlencode(back)}")


def leave(client):
    """Sign out and return the address the page moves on to, or where it redirects."""
    page = client.get("/").get_data(as_text=True)
    token = page.partition('name="csrf-token" content="')[2].partition('"')[0]
    answer = client.post("/logout", data={"csrf_token": token}, follow_redirects=True)
    assert client.get("/entries").location.startswith("/"), "signed out here in any case"
    return answer, answer.headers.get("Refresh", "")


def test_signing_out_ends_the_providers_session_too(signed_in):
    _, client, provider = signed_in
    come(client, provider)
    answer, refresh = leave(client)

    asked = urlsplit(refresh.removeprefix("0; url="))
    told = {name: value[0] for name, value in parse_qs(asked.query).items()}
    assert f"{asked.scheme}://{asked.netloc}{asked.path}" == f"{provider.url}/logout"
    assert told["client_id"] == "tt"
    assert told["post_logout_redirect_uri"] == "https://time.example/tt/login"
    assert told["id_token_hint"].count(".") == 2
    assert "Signed out" in answer.get_data(as_text=True)


@pytest.mark.parametrize("why", ["switched off", "cannot", "is down"])
def test_where_the_provider_is_not_asked_one_is_signed_out_here(signed_in, why):
    app, client, provider = signed_in
    app.config["OIDC_LOGOUT"] = why != "switched off"
    provider.ends = why != "cannot"
    app.extensions.pop("oidc", None)
    come(client, provider)
    if why == "is down":
        app.extensions.pop("oidc", None)
        app.config["OIDC_ISSUER"] = "http://127.0.0.1:9"
    answer, refresh = leave(client)

    assert refresh == ""
    assert answer.request.path == "/login"


def test_a_local_sign_out_never_goes_to_the_provider(app, browser):
    app.config["OIDC_LOGOUT"] = True

    assert browser.post("/logout", follow=False).location == "/login"
