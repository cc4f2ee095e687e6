"""Single sign-on against a real provider on loopback: who gets in, as whom, and who not."""

import time
from urllib.parse import urlencode

import pytest
from joserfc.jwk import RSAKey

from app.config import Config
from app.errors import AccountRefused
from app.models.people import User, UserSession
from app.models.records import AuditLog
from app.people import accounts, oidc
from app.settings import Settings
from tests.identity_provider import Provider

SECRET = "provider-secret"


@pytest.fixture(scope="module")
def running():
    provider = Provider()
    yield provider
    provider.close()


@pytest.fixture
def provider(running):
    before = dict(vars(running))
    running.change, running.userinfo, running.asked = {}, {}, []
    running.claims = dict(running.claims)
    yield running
    vars(running).update(before)


@pytest.fixture
def app(database, tmp_path, provider, furnished):
    app = furnished(
        Config(
            DATA_DIR=tmp_path,
            AUTH_METHOD="both",
            OIDC_ISSUER=provider.url,
            OIDC_CLIENT_ID="tt",
            OIDC_CLIENT_SECRET=SECRET,
            OIDC_AUTO_CREATE=True,
        )
    )
    with app.extensions["database"].writing() as session:
        new = accounts.NewUser(
            username="boss", role="admin", email="boss@example.org",
            password="correct horse battery",
        )  # fmt: skip
        accounts.make(session, new, Settings())
    return app


@pytest.fixture
def come(app, provider):
    """Go to the provider and come back; return the answer and the browser."""

    def go(*, spoil=None, client=None):
        client = client or app.test_client()
        begun = client.get("/login/oidc?next=/entries")
        if begun.status_code != 302:
            return begun, client
        back = provider.authorize(begun.headers["Location"])
        if spoil:
            back |= spoil
        return client.get(f"/login/oidc/callback?{urlencode(back)}"), client

    return go


@pytest.fixture
def users(app):
    def read():
        with app.extensions["database"].reading() as session:
            return {user.username: user for user in session.query(User)}

    return read


def test_the_first_login_makes_an_account_and_goes_on(come, users, provider):
    answer, client = come()

    assert (answer.status_code, answer.headers["Location"]) == (302, "/entries")
    ann = users()["ann"]
    assert (ann.oidc_issuer, ann.oidc_subject) == (provider.url, "s-1")
    assert (ann.role, ann.signup_method, ann.auth_method) == ("user", "oidc", "oidc")
    assert (ann.display_name, ann.email) == ("Ann Lee", "ann@example.org")
    assert client.get("/").status_code == 200


def test_the_same_person_comes_back_under_another_name(come, users, provider):
    come()
    provider.claims["preferred_username"] = "ann.lee"

    come()

    assert set(users()) == {"boss", "ann"}


def test_a_name_that_is_taken_gets_a_number(come, users, provider):
    provider.claims["preferred_username"] = "boss"

    come()

    assert users()["boss-2"].oidc_subject == "s-1"
    assert users()["boss"].oidc_subject is None


def test_keys_that_rotated_are_read_again(come, users, provider):
    come()
    provider.rotate()

    answer, _ = come()

    assert answer.status_code == 302
    assert provider.asked.count("/jwks") == 2


def test_metadata_and_keys_are_kept(come, provider):
    come()
    come()

    assert provider.asked.count("/.well-known/openid-configuration") == 1
    assert provider.asked.count("/jwks") == 1


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"nonce": "another"}, id="wrong nonce"),
        pytest.param({"aud": "somebody-else"}, id="wrong audience"),
        pytest.param({"iss": "https://evil.example"}, id="wrong issuer"),
        pytest.param({"exp": int(time.time()) - 61}, id="expired beyond the leeway"),
    ],
)
def test_claims_that_do_not_hold_are_refused(come, users, provider, change):
    provider.change = change

    answer, client = come()

    assert answer.status_code == 401
    assert set(users()) == {"boss"}
    assert client.get("/").status_code == 302


def test_a_clock_that_is_a_little_wrong_is_forgiven(come, provider):
    provider.change = {"exp": int(time.time()) - 30}

    assert come()[0].status_code == 302


def test_a_signature_of_another_key_is_refused(come, users, provider, monkeypatch):
    other = RSAKey.generate_key(2048, {"kid": provider.key.kid})
    published = provider.key.as_dict(private=False)
    real = provider.give
    monkeypatch.setattr(
        provider, "give",
        lambda path: {"keys": [published]} if path == "/jwks" else real(path),
    )  # fmt: skip
    monkeypatch.setattr(provider, "key", other)

    assert come()[0].status_code == 401
    assert set(users()) == {"boss"}


def test_an_answer_without_id_token_is_refused(come, users, provider):
    provider.with_id_token = False

    assert come()[0].status_code == 401
    assert set(users()) == {"boss"}


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param({"state": "another"}, id="wrong state"),
        pytest.param({"error": "access_denied"}, id="denied at the provider"),
        pytest.param({"code": "stolen"}, id="a code the provider did not give"),
    ],
)
def test_an_answer_that_does_not_belong_to_the_question_is_refused(come, users, spoil):
    assert come(spoil=spoil)[0].status_code == 401
    assert set(users()) == {"boss"}


@pytest.mark.parametrize(
    ("change", "spoil", "reason"),
    [
        pytest.param({"nonce": "another"}, {}, "oidc_claim", id="wrong nonce"),
        pytest.param({}, {"state": "another"}, "oidc_state", id="wrong state"),
        pytest.param({}, {"error": "access_denied"}, "oidc_denied", id="denied"),
    ],
)
def test_a_refusal_is_audited_with_its_reason(app, come, provider, change, spoil, reason):
    provider.change = change

    come(spoil=spoil)

    with app.extensions["database"].reading() as session:
        (line,) = session.query(AuditLog).filter_by(action="auth.refused")
    assert line.changes["reason"] == [None, reason]


def test_another_browser_cannot_use_the_answer(app, provider, users):
    begun = app.test_client().get("/login/oidc")
    back = provider.authorize(begun.headers["Location"])

    answer = app.test_client().get(f"/login/oidc/callback?{urlencode(back)}")

    assert answer.status_code == 401
    assert set(users()) == {"boss"}


def test_a_provider_that_is_down_leaves_the_local_form(app):
    app.config["OIDC_ISSUER"] = "http://127.0.0.1:9"

    answer = app.test_client().get("/login/oidc")

    assert answer.status_code == 401
    assert 'name="password"' in answer.text


def test_a_provider_that_calls_itself_differently_is_refused(come, users, provider):
    provider.issuer = "https://other.example"

    assert come()[0].status_code == 401
    assert set(users()) == {"boss"}


def test_a_disabled_user_stays_out(app, come, users):
    come()
    with app.extensions["database"].writing() as session:
        session.query(User).filter_by(username="ann").one().is_active = False

    answer, client = come()

    assert answer.status_code == 401
    assert client.get("/").status_code == 302


def test_without_automatic_accounts_the_log_names_the_variable(app, come, users, caplog):
    app.config["OIDC_AUTO_CREATE"] = False

    answer, _ = come()

    assert answer.status_code == 401
    assert "OIDC_AUTO_CREATE" in caplog.text
    assert "OIDC_AUTO_CREATE" not in answer.text
    assert set(users()) == {"boss"}


@pytest.mark.parametrize(
    ("change", "status"),
    [
        pytest.param({}, 302, id="a verified address of ours"),
        pytest.param({"email": "ann@evil.example"}, 401, id="another domain"),
        pytest.param({"email_verified": False}, 401, id="an address nobody vouches for"),
    ],
)
def test_accounts_can_be_kept_to_domains(app, come, provider, change, status):
    app.config["OIDC_ALLOWED_DOMAINS"] = ("example.org",)
    provider.claims |= change

    assert come()[0].status_code == status


@pytest.mark.parametrize(
    ("linking", "verified", "linked"),
    [(True, True, True), (True, False, False), (False, True, False)],
)
def test_an_account_is_linked_by_address_only_if_verified_and_allowed(
    app, come, users, provider, linking, verified, linked
):
    app.config.update(OIDC_LINK_BY_EMAIL=linking, OIDC_ROLE_SYNC="first")
    provider.claims |= {"email": "Boss@Example.org", "email_verified": verified}

    come()

    assert (users()["boss"].oidc_subject == "s-1") is linked
    assert ("ann" in users()) is not linked


@pytest.mark.parametrize("switch", [{"ENABLE_OIDC": False}, {"AUTH_METHOD": "local"}])
def test_switched_off_there_is_nothing(app, switch):
    app.config.update(switch)

    assert app.test_client().get("/login/oidc").status_code == 404
    assert app.test_client().get("/login/oidc/callback").status_code == 404


def test_the_sign_in_page_offers_it(app):
    assert "Single sign-on" in app.test_client().get("/login").text


def test_roles_may_come_from_userinfo(app, come, users, provider):
    del provider.claims["groups"]
    provider.userinfo = {"groups": ["tt-admins"]}
    app.config["OIDC_ROLE_MAP"] = (("tt-admins", "admin"),)

    come()

    assert users()["ann"].role == "admin"


def test_read_only_people_may_sign_in_but_nobody_is_made(app, come, users, provider):
    come()
    app.config["READ_ONLY"] = True
    assert come()[0].status_code == 302

    provider.claims["sub"] = "s-2"
    assert come()[0].status_code == 401
    assert set(users()) == {"boss", "ann"}


def test_a_test_shows_claims_and_role_and_signs_nobody_in(app, provider, users):
    with app.extensions["database"].writing() as session:
        boss = session.query(User).filter_by(username="boss").one()
        boss.oidc_issuer, boss.oidc_subject = provider.url, "s-boss"
    client = app.test_client()
    provider.claims["sub"] = "s-boss"
    begun = client.get("/login/oidc")
    back = provider.authorize(begun.headers["Location"])
    client.get(f"/login/oidc/callback?{urlencode(back)}")
    provider.claims |= {"sub": "s-9", "groups": ["tt-leads"]}

    begun = client.get("/login/oidc?test=1")
    back = provider.authorize(begun.headers["Location"])
    page = client.get(f"/login/oidc/callback?{urlencode(back)}").text

    assert "tt-leads" in page
    assert "nobody was signed in" in page
    with app.extensions["database"].reading() as session:
        assert {row.user_id for row in session.query(UserSession)} <= {None, boss.id}
    assert set(users()) == {"boss"}


def test_only_an_administrator_may_test(app):
    assert app.test_client().get("/login/oidc?test=1").status_code == 302


@pytest.mark.parametrize(
    ("claims", "path", "role"),
    [
        pytest.param({"groups": ["tt-admins"]}, "groups", "admin", id="a list"),
        pytest.param({"groups": "tt-leads"}, "groups", "manager", id="a string"),
        pytest.param(
            {"groups": ["tt-leads", "tt-admins"]}, "groups", "admin", id="highest"
        ),
        pytest.param({"groups": []}, "groups", "user", id="anybody else"),
        pytest.param({}, "groups", "user", id="no claim"),
        pytest.param({"a": {"b": ["tt-admins"]}}, "a.b", "admin", id="a dotted path"),
        pytest.param(
            {"urn:a.b": ["tt-admins"]}, "urn:a.b", "admin", id="a name with a dot"
        ),
        pytest.param({"a": "text"}, "a.b", "user", id="a path that ends early"),
    ],
)
def test_a_claim_gives_a_role(claims, path, role):
    given = (("tt-admins", "admin"), ("tt-leads", "manager"), ("*", "user"))

    assert oidc.role_of(claims, ruled(roles_claim=path, role_map=given)) == role


def test_no_match_and_no_star_is_a_refusal():
    with pytest.raises(AccountRefused) as refused:
        oidc.role_of({"groups": ["x"]}, ruled(role_map=(("tt-admins", "admin"),)))

    assert refused.value.reason == "oidc_claim"


def ruled(**given):
    values = {"OIDC_" + name.upper(): value for name, value in given.items()}
    return oidc.rules(Config(**values).mapping())


@pytest.mark.parametrize(
    ("sync", "before", "given", "after"),
    [
        ("first", "user", "admin", "user"),
        ("first", "manager", "viewer", "manager"),
        ("raise", "user", "admin", "admin"),
        ("raise", "manager", "user", "manager"),
        ("sync", "manager", "user", "user"),
        ("sync", "user", "manager", "manager"),
    ],
)
def test_roles_are_kept_raised_or_followed(app, come, users, sync, before, given, after):
    come()
    with app.extensions["database"].writing() as session:
        session.query(User).filter_by(username="ann").one().role = before
    app.config.update(OIDC_ROLE_SYNC=sync, OIDC_ROLE_MAP=(("*", given),))

    come()

    assert users()["ann"].role == after


@pytest.mark.parametrize(
    ("kept", "others"),
    [
        pytest.param(("ann",), True, id="whom the operator keeps"),
        pytest.param((), False, id="the last administrator"),
    ],
)
def test_some_are_never_lowered(app, come, users, kept, others):
    come()
    with app.extensions["database"].writing() as session:
        session.query(User).filter_by(username="ann").one().role = "admin"
        session.query(User).filter_by(username="boss").one().is_active = others
    app.config.update(
        OIDC_ROLE_SYNC="sync", OIDC_ROLE_MAP=(("*", "user"),), OIDC_KEEP_ADMINS=kept
    )

    come()

    assert users()["ann"].role == "admin"
