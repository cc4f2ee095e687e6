"""Single sign-on against a real provider on loopback: who gets in, as what, and who not."""

import time
from datetime import timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import msgspec
import pytest
from joserfc.jwk import RSAKey
from sqlalchemy import delete, select

from hedgerow.errors import BadSetting
from hedgerow.meta import accounts, audit, role_maps, single_sign_on
from hedgerow.meta.tables import AuditEntry, User
from hedgerow.meta.tables_signin import SignInBegun
from hedgerow.serve.running import application
from hedgerow.settings import Settings
from hedgerow.web.visits import SESSION
from tests.hedgerow.visiting import PASSWORD, Server
from tests.identity_provider import Provider

WAY_BACK = "http://hedgerow.test/signin/oidc/callback"


class Ending(Provider):
    """A provider that can end its own session."""

    def give(self, path):
        found = super().give(path)
        if "jwks_uri" in found:
            found["end_session_endpoint"] = f"{self.url}/logout"
        return found


@pytest.fixture(scope="module")
def running():
    made = Ending()
    yield made
    made.close()


@pytest.fixture
def provider(running):
    before = dict(vars(running))
    running.change, running.userinfo, running.asked = {}, {}, []
    running.claims = dict(running.claims)
    yield running
    vars(running).update(before)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    made = Server(tmp_path_factory.mktemp("single"))
    made.user("boss@example.org", is_admin=True)
    yield made
    made.close()


@pytest.fixture
def settled(server, provider):
    """Settle the server anew; people who came in an earlier test are gone."""
    house, plain = server.house, server.house.settings

    def settle(**given):
        given = {"oidc_auto_create": True, **given}
        house.settings = msgspec.structs.replace(
            plain, oidc_issuer=provider.url, oidc_client_id="hedgerow",
            oidc_client_secret="a secret", **given,
        )  # fmt: skip
        server.app = application(house, server.questions)
        return server

    yield settle
    house.settings = plain
    with house.metadata.writing() as session:
        for user in session.scalars(select(User).where(User.oidc_subject.is_not(None))):
            session.delete(user)


def come(server, provider, spoil=None, browser=None):
    """Go to the provider and come back; return the answer and the browser."""
    browser = browser or server.browser()
    begun = browser.get("/signin/oidc?next=/p/1/insights")
    if begun.status_code != 303:
        return begun, browser
    back = provider.authorize(begun.headers["location"]) | (spoil or {})
    return browser.get(f"/signin/oidc/callback?{urlencode(back)}"), browser


def user(server, email="ann@example.org"):
    with server.house.metadata.reading() as session:
        return accounts.user_by_email(session, email)


def roles(server, *projects):
    with server.house.metadata.reading() as session:
        ann = accounts.user_by_email(session, "ann@example.org")
        return [accounts.role_of(session, ann, one.id) for one in projects]


pytestmark = pytest.mark.slow  # a whole server, though without a socket


def test_the_first_sign_in_makes_an_account_and_goes_on(settled, provider):
    server = settled()

    answer, browser = come(server, provider)

    assert (answer.status_code, answer.headers["location"]) == (303, "/p/1/insights")
    ann = user(server)
    assert (ann.oidc_issuer, ann.oidc_subject) == (provider.url, "s-1")
    assert (ann.name, ann.password_hash, ann.is_admin) == ("Ann Lee", None, False)
    assert browser.get("/account").status_code == 200


def test_the_provider_is_asked_with_pkce_state_and_nonce(settled, provider):
    server = settled(oidc_scopes="openid email groups")

    begun = server.browser().get("/signin/oidc").headers["location"]

    asked = {name: value[0] for name, value in parse_qs(urlsplit(begun).query).items()}
    assert asked["code_challenge_method"] == "S256"
    assert asked["redirect_uri"] == WAY_BACK
    assert asked["scope"] == "openid email groups"
    assert len({asked["state"], asked["nonce"], asked["code_challenge"]}) == 3
    assert min(len(asked["state"]), len(asked["nonce"])) >= 43


def test_the_same_person_comes_back_with_another_address(settled, provider):
    server = settled()
    come(server, provider)
    provider.claims["email"] = "ann.lee@example.org"

    come(server, provider)

    assert user(server) is not None
    assert user(server, "ann.lee@example.org") is None


def test_keys_that_rotated_are_read_again_and_kept(settled, provider):
    server = settled()
    come(server, provider)
    provider.rotate()

    assert come(server, provider)[0].status_code == 303
    assert come(server, provider)[0].status_code == 303
    assert provider.asked.count("/jwks") == 2
    assert provider.asked.count("/.well-known/openid-configuration") == 1


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"nonce": "another"}, id="wrong nonce"),
        pytest.param({"aud": "somebody-else"}, id="wrong audience"),
        pytest.param({"azp": "somebody-else"}, id="meant for another client"),
        pytest.param({"iss": "https://evil.example"}, id="wrong issuer"),
        pytest.param({"exp": int(time.time()) - 61}, id="expired beyond the leeway"),
    ],
)
def test_claims_that_do_not_hold_are_refused(settled, provider, change):
    server = settled()
    provider.change = change

    answer, browser = come(server, provider)

    assert answer.status_code == 401
    assert "does not hold" in answer.text
    assert user(server) is None
    assert SESSION not in browser.cookies


def test_a_signature_of_another_key_is_refused(settled, provider, monkeypatch):
    server = settled()
    published = provider.key.as_dict(private=False)
    monkeypatch.setattr(
        provider, "key", RSAKey.generate_key(2048, {"kid": provider.key.kid})
    )
    real = provider.give
    monkeypatch.setattr(
        provider, "give",
        lambda path: {"keys": [published]} if path == "/jwks" else real(path),
    )  # fmt: skip

    assert come(server, provider)[0].status_code == 401
    assert user(server) is None


def test_an_answer_without_id_token_is_refused(settled, provider):
    server = settled()
    provider.with_id_token = False

    assert come(server, provider)[0].status_code == 401


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        pytest.param({"state": "another"}, "Begin again", id="wrong state"),
        pytest.param(
            {"error": "access_denied"}, "did not let you in", id="denied at the provider"
        ),
        pytest.param({"code": ""}, "did not let you in", id="no code"),
    ],
)
def test_an_answer_that_does_not_belong_to_the_question_is_refused(
    settled, provider, spoil, said
):
    server = settled()

    answer, _ = come(server, provider, spoil)

    assert answer.status_code == 401
    assert said in answer.text
    assert 'name="password"' in answer.text
    assert user(server) is None


@pytest.mark.parametrize(
    ("given", "spoil", "who", "why"),
    [
        pytest.param(
            {}, {"code": "", "error": "access_denied"}, "somebody unknown",
            "The provider did not let you in.", id="refused there",
        ),
        pytest.param(
            {"oidc_auto_create": False}, {}, "ann@example.org",
            "There is no account for you here.", id="refused here",
        ),
    ],
)  # fmt: skip
def test_a_failed_sign_in_is_kept_and_leads_on_to_the_page_that_was_wanted(
    settled, provider, given, spoil, who, why
):
    server = settled(**given)
    answer, _ = come(server, provider, spoil)

    assert 'name="next" value="/p/1/insights"' in answer.text
    assert "/signin/oidc?next=/p/1/insights" in answer.text
    with server.house.metadata.reading() as session:
        (kept,) = audit.entries(session, None, limit=1)
    assert (kept.who, kept.action, kept.subject) == (who, "failed at", "single sign-on")
    assert kept.after == {"why": why, "address": "testclient"}
    project = server.project()
    log = f"/p/{project.id}/settings/log"
    assert "failed at single sign-on" in server.signed_in(boss(server)).get(log).text
    owner = server.user(f"owner-{project.id}@example.org", project, "owner")
    assert "failed at" not in server.signed_in(owner).get(log).text


def boss(server):
    return user(server, "boss@example.org")


def test_coming_back_too_late_begins_again_and_forgets_no_page(settled, provider):
    server = settled()
    browser = server.browser()
    begun = browser.get("/signin/oidc?next=/p/1/insights")
    back = provider.authorize(begun.headers["location"])
    with server.house.metadata.writing() as session:
        for row in session.scalars(select(SignInBegun)):
            row.created_at -= timedelta(minutes=11)

    answer = browser.get(f"/signin/oidc/callback?{urlencode(back)}")

    assert answer.status_code == 401
    assert "too long ago" in answer.text
    assert "/signin/oidc?next=/p/1/insights" in answer.text


def test_failures_do_not_fill_the_log(settled, monkeypatch):
    server = settled()
    with server.house.metadata.writing() as session:
        session.execute(delete(AuditEntry))
    monkeypatch.setattr(single_sign_on, "FAILURES", 2)
    for _ in range(4):
        server.browser().get("/signin/oidc/callback?state=x&code=y")

    with server.house.metadata.reading() as session:
        assert len(audit.entries(session, None)) == 2


def test_an_answer_counts_once_and_for_the_browser_that_asked(settled, provider):
    server = settled()
    browser = server.browser()
    back = provider.authorize(browser.get("/signin/oidc").headers["location"])
    address = f"/signin/oidc/callback?{urlencode(back)}"

    stranger = server.browser().get(address)
    first = browser.get(address)
    again = browser.get(address)

    assert (stranger.status_code, first.status_code, again.status_code) == (401, 303, 401)


def test_a_provider_that_is_down_leaves_passwords(settled):
    server = settled()
    server.house.settings = msgspec.structs.replace(
        server.house.settings, oidc_issuer="http://127.0.0.1:9"
    )
    server.app = application(server.house, server.questions)

    answer = server.browser().get("/signin/oidc")

    assert answer.status_code == 502
    assert "does not answer" in answer.text
    assert 'name="password"' in answer.text


def test_a_provider_that_calls_itself_differently_is_refused(settled, provider):
    server = settled()
    provider.issuer = "https://other.example"

    assert come(server, provider)[0].status_code == 502


def test_somebody_switched_off_stays_out_and_other_sessions_end(settled, provider):
    server = settled()
    _, inside = come(server, provider)
    with server.house.metadata.writing() as session:
        accounts.set_active(session, user(server).id, is_active=False)

    answer, _ = come(server, provider)

    assert answer.status_code == 401
    assert "switched off" in answer.text
    assert inside.get("/account").status_code == 303


@pytest.mark.parametrize(
    ("given", "change", "named"),
    [
        pytest.param({"oidc_auto_create": False}, {}, "OIDC_AUTO_CREATE", id="not made"),
        pytest.param(
            {"oidc_allowed_domains": "example.com"}, {}, "ALLOWED_DOMAINS", id="domain"
        ),
        pytest.param(
            {}, {"email_verified": False}, "no verified address", id="nobody vouches"
        ),
        pytest.param(
            {"oidc_trust_email": True},
            {"email_verified": False},
            "no verified address",
            id="said to be unverified",
        ),
        pytest.param({}, {"email": "boss@example.org"}, "LINK_BY_EMAIL", id="not linked"),
    ],
)
def test_who_has_no_account_is_told_so_and_the_log_names_the_setting(
    settled, provider, caplog, given, change, named
):
    server = settled(**given)
    provider.claims |= change

    answer, _ = come(server, provider)

    assert answer.status_code == 401
    assert "no account for you" in answer.text
    assert named in caplog.text
    assert "HEDGEROW_" not in answer.text
    assert user(server, "boss@example.org").oidc_subject is None


def test_an_address_may_count_where_the_provider_is_silent(settled, provider):
    server = settled(oidc_trust_email=True)
    del provider.claims["email_verified"]

    assert come(server, provider)[0].status_code == 303


def test_a_verified_address_finds_its_account_where_allowed(settled, provider):
    server = settled(oidc_link_by_email=True, oidc_auto_create=False)
    server.user("linked@example.org")
    provider.claims |= {"email": "Linked@Example.org"}

    come(server, provider)

    assert user(server, "linked@example.org").oidc_subject == "s-1"


def test_roles_follow_the_claim_at_every_sign_in(settled, provider):
    server = settled(
        oidc_role_map='{"web": "editor", "shop": {"1": "owner", "999": "admin"}}'
    )
    one, two = server.project(), server.project()
    server.app = application(server.house, server.questions)
    provider.claims["groups"] = ["web", "shop"]
    come(server, provider)
    both = roles(server, one, two)

    provider.claims["groups"] = ["shop"]
    come(server, provider)

    expected = ["owner" if one.id == 1 else "editor", "editor"]
    assert both == expected
    assert roles(server, two) == [None]
    with server.house.metadata.reading() as session:
        noted = audit.entries(session, two.id)
    assert [(row.who, row.after) for row in noted] == [
        ("single sign-on", {"role": None}),
        ("single sign-on", {"role": "editor"}),
    ]


def test_the_map_leaves_projects_alone_that_it_does_not_name(settled, provider):
    server = settled(oidc_role_map='{"shop": {"999": "admin"}, "*": {"998": "viewer"}}')
    project = server.project()
    come(server, provider)
    with server.house.metadata.writing() as session:
        accounts.set_role(session, user(server).id, project.id, "editor")

    come(server, provider)

    assert roles(server, project) == ["editor"]


def test_the_last_owner_of_a_project_stays(settled, provider):
    server = settled(oidc_role_map='{"*": "viewer"}')
    come(server, provider)
    project = server.project()
    with server.house.metadata.writing() as session:
        accounts.set_role(session, user(server).id, project.id, "owner")
        session.get(User, user(server).id).is_admin = False

    come(server, provider)

    assert roles(server, project) == ["owner"]


def test_administrators_come_and_go_with_the_claim(settled, provider):
    server = settled(oidc_role_map='{"ops": "administrator", "*": {"999": "viewer"}}')
    provider.claims["groups"] = "ops"
    come(server, provider)
    before = user(server).is_admin
    provider.claims["groups"] = []

    come(server, provider)

    assert (before, user(server).is_admin) == (True, False)


@pytest.mark.parametrize("claims", [{}, {"groups": ["others"]}], ids=["none", "no value"])
def test_a_claim_that_is_missing_keeps_people_out(settled, provider, caplog, claims):
    server = settled(oidc_role_map='{"staff": "viewer"}')
    del provider.claims["groups"]
    provider.claims |= claims

    answer, _ = come(server, provider)

    assert answer.status_code == 401
    assert "no role here" in answer.text
    assert "'groups'" in caplog.text
    assert user(server) is None


def test_roles_may_come_from_userinfo(settled, provider):
    server = settled(oidc_role_map='{"ops": "administrator"}')
    del provider.claims["groups"]
    provider.userinfo = {"groups": ["ops"]}

    come(server, provider)

    assert user(server).is_admin


def test_the_userinfo_of_somebody_else_is_refused(settled, provider):
    server = settled()
    del provider.claims["groups"]
    provider.userinfo = {"sub": "s-2", "groups": ["ops"]}

    assert come(server, provider)[0].status_code == 401


def test_switched_off_there_is_nothing(server):
    server.app = application(server.house, server.questions)
    browser = server.browser()

    assert browser.get("/signin/oidc").status_code == 404
    assert browser.get("/signin/oidc/callback").status_code == 404
    assert "/signin/oidc" not in browser.get("/signin").text


def test_the_sign_in_page_offers_both(settled):
    page = settled(oidc_name="Keycloak").browser().get("/signin?next=/p/1/live").text

    assert "Sign in with Keycloak" in page
    assert "/signin/oidc?next=/p/1/live" in page
    assert 'name="password"' in page


@pytest.mark.parametrize(
    ("email", "status"),
    [
        pytest.param("boss@example.org", 303, id="an administrator"),
        pytest.param("member@example.org", 401, id="anybody else"),
    ],
)
def test_passwords_can_be_left_to_administrators(settled, email, status):
    server = settled(oidc_only=True)
    if user(server, email) is None:
        server.user(email)
    browser = server.browser()
    hidden = browser.get("/signin").text
    page = browser.get("/signin?local=1").text
    csrf = page.partition('name="csrf" value="')[2].partition('"')[0]

    form = {"csrf": csrf, "email": email, "password": PASSWORD, "local": "1"}
    answer = browser.post("/signin", data=form)

    assert 'name="password"' not in hidden
    assert answer.status_code == status


def test_the_settings_show_what_is_set_but_no_secret(settled):
    server = settled(oidc_role_map='{"ops": "administrator", "web": {"999": "editor"}}')
    project = server.project()
    admin = server.signed_in(user(server, "boss@example.org"))

    page = admin.get(f"/p/{project.id}/settings/signon").text

    assert WAY_BACK in page
    assert "administrator of the server" in page
    assert "editor in project 999, which is not there" in page
    assert "a secret and PKCE" in page
    assert server.house.settings.oidc_client_secret == "a secret"
    assert ">a secret<" not in page


def test_without_a_provider_the_settings_say_what_to_register(server):
    server.app = application(server.house, server.questions)
    project = server.project()
    admin = server.signed_in(user(server, "boss@example.org"))

    page = admin.get(f"/p/{project.id}/settings/signon").text

    assert WAY_BACK in page
    assert "HEDGEROW_OIDC_ISSUER" in page


@pytest.mark.parametrize("wanted", [True, False])
def test_signing_out_ends_the_providers_session_where_wanted(settled, provider, wanted):
    server = settled(oidc_logout=wanted)
    _, browser = come(server, provider)
    page = browser.get("/account").text
    csrf = page.partition('name="csrf" value="')[2].partition('"')[0]

    answer = browser.post("/signout", data={"csrf": csrf})

    assert browser.get("/account").status_code == 303
    if not wanted:
        assert answer.headers["location"] == "/signin"
        return
    asked = urlsplit(answer.headers["refresh"].removeprefix("0; url="))
    told = {name: value[0] for name, value in parse_qs(asked.query).items()}
    assert f"{asked.scheme}://{asked.netloc}{asked.path}" == f"{provider.url}/logout"
    assert told["post_logout_redirect_uri"] == "http://hedgerow.test/signin"
    assert told["id_token_hint"].count(".") == 2


@pytest.mark.parametrize(
    ("claims", "path", "gives"),
    [
        pytest.param({"g": ["ops"]}, "g", (True, None, {}), id="the whole server"),
        pytest.param({"g": "web"}, "g", (False, "editor", {}), id="a text"),
        pytest.param(
            {"g": ["web", "shop"]},
            "g",
            (False, "editor", {3: "admin"}),
            id="both count",
        ),
        pytest.param(
            {"a": {"b": ["web"]}}, "a.b", (False, "editor", {}), id="a dotted path"
        ),
        pytest.param(
            {"urn:a.b": "web"}, "urn:a.b", (False, "editor", {}), id="a name with a dot"
        ),
        pytest.param({"g": [{"x": 1}, 5]}, "g", None, id="no texts"),
        pytest.param({"g": {"web": 1}}, "g", None, id="an object"),
        pytest.param({}, "g", None, id="no claim"),
    ],
)
def test_a_claim_gives_roles(claims, path, gives):
    given = role_maps.read(
        '{"ops": "administrator", "web": "editor", "shop": {"3": "admin"}}'
    )

    found = role_maps.granted(claims, path, given)

    assert (found and (found.is_admin, found.everywhere, dict(found.projects))) == gives


def test_the_highest_role_holds():
    given = role_maps.read('{"a": {"3": "admin"}, "b": {"3": "viewer"}, "*": "viewer"}')

    found = role_maps.granted({"g": ["b", "a"]}, "g", given)

    assert (found.everywhere, dict(found.projects)) == ("viewer", {3: "admin"})


@pytest.mark.parametrize(
    "text",
    ["{", "[]", '{"a": "king"}', '{"a": {"x": "viewer"}}', '{"a": {"1": "administrator"}}'],
)
def test_a_map_that_cannot_be_read_stops_the_start(text):
    with pytest.raises(BadSetting, match="HEDGEROW_OIDC_ROLE_MAP"):
        single_sign_on.rules(Settings(oidc_role_map=text))
