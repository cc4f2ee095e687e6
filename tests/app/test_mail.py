"""Mail, against a real SMTP server on loopback: who is written to, when, and what if not."""

import re
import ssl
import subprocess
import threading
from datetime import timedelta
from email import message_from_string, policy

import pytest
from sqlalchemy import select

from app import jobs, mail
from app.config import Config, from_environment
from app.errors import BadSetting, Unreachable
from app.jobs import Scheduler
from app.mail import Mail, Post, is_on, send
from app.models.people import User
from app.people import accounts
from tests.mail_server import Server, Smtp

from .conftest import MONDAY, PASSWORD, Browser

LETTER = Mail(to="bob@example.org", name="Bob Öst", subject="Hello", text="Grüße")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    key, chain = folder / "key.pem", folder / "chain.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
         "-keyout", str(key), "-out", str(chain)],
        check=True, capture_output=True,
    )  # fmt: skip
    return key, chain


@pytest.fixture
def smtp():
    server = Server(("127.0.0.1", 0), Smtp)
    server.mails, server.heard, server.status = [], [], 250
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def config(smtp):
    chosen = Config(
        MAIL_HOST="localhost", MAIL_PORT=smtp.server_address[1], MAIL_SECURITY="none",
        MAIL_FROM="tt@example.org",
    )  # fmt: skip
    return chosen.mapping()


def read(smtp, number=-1):
    """Return a mail the server got."""
    return message_from_string(smtp.mails[number], policy=policy.default)


@pytest.mark.parametrize(
    ("changed", "on"),
    [
        pytest.param({}, True, id="a server"),
        pytest.param({"MAIL_HOST": ""}, False, id="no server"),
        pytest.param({"ENABLE_EMAIL": False}, False, id="switched off"),
        pytest.param({"DEMO_MODE": True}, False, id="a demo"),
    ],
)
def test_mail_is_sent_only_where_it_is_wanted(smtp, config, database, changed, on):
    config |= changed
    post = Post(config, database)

    assert is_on(config) is post.put(LETTER, MONDAY) is on
    assert post.empty(MONDAY) == len(smtp.mails) == int(on)


def test_a_mail_arrives_as_it_was_written(smtp, config):
    send(config, LETTER)
    found = read(smtp)

    assert found["To"].addresses[0].addr_spec == "bob@example.org"
    assert (found["Subject"], found.get_content().strip()) == ("Hello", "Grüße")
    assert found["From"].addresses[0].addr_spec == "tt@example.org"
    assert found["Auto-Submitted"] == "auto-generated"


def test_names_cannot_smuggle_headers(smtp, config):
    send(config, Mail(to="b@example.org", name="B\nBcc: x@evil.example", subject="S\nX: 1", text="t"))  # fmt: skip

    assert read(smtp)["Bcc"] is None
    assert read(smtp)["X"] is None


def test_a_password_is_given_only_where_there_is_one(smtp, config):
    send(config, LETTER)
    assert "AUTH" not in smtp.heard
    send(config | {"MAIL_USER": "tt", "MAIL_PASSWORD": "x"}, LETTER)
    assert "AUTH" in smtp.heard


def test_starttls_encrypts_and_checks_the_certificate(
    smtp, config, certificate, monkeypatch
):
    key, chain = certificate
    smtp.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    smtp.tls.load_cert_chain(chain, key)
    config |= {"MAIL_SECURITY": "starttls"}
    with pytest.raises(Unreachable, match="CERTIFICATE_VERIFY_FAILED"):
        send(config, LETTER)

    trusting = ssl.create_default_context
    monkeypatch.setattr(ssl, "create_default_context", lambda: trusting(cafile=chain))
    send(config, LETTER)
    assert "STARTTLS" in smtp.heard
    assert len(smtp.mails) == 1


def test_a_server_without_tls_gets_no_mail_where_tls_is_asked_for(smtp, config):
    with pytest.raises(Unreachable, match="did not take a mail"):
        send(config | {"MAIL_SECURITY": "tls"}, LETTER)
    assert smtp.mails == []


def test_a_refused_mail_is_tried_again_and_at_last_given_up(smtp, config, database):
    smtp.status = 451
    post, now = Post(config, database), MONDAY
    post.put(LETTER, MONDAY)
    for pause in mail.AGAIN:
        assert post.empty(now) == 0
        assert post.empty(now + pause - timedelta(seconds=1)) == 0, "not before its time"
        now += pause
    with pytest.raises(Unreachable, match="451 said"):
        post.empty(now)

    with database.reading() as session:
        (row,) = mail.newest(session)
    assert (row.state, row.text, row.tries) == ("failed", "", len(mail.AGAIN) + 1)
    assert "451 said" in row.error
    assert post.empty(now + timedelta(days=1)) == 0
    assert smtp.heard.count("DATA") == len(mail.AGAIN) + 1


def test_what_waits_outlives_the_process_and_is_sent_once(smtp, config, database):
    Post(config, database).put(LETTER, MONDAY)
    first, second = Post(config, database), Post(config, database)

    assert [first.empty(MONDAY), second.empty(MONDAY)] == [1, 0]
    with database.reading() as session:
        (row,) = mail.newest(session)
    assert (row.state, row.text, row.done_at) == ("sent", "", MONDAY)


def test_a_mail_of_a_transaction_that_is_undone_is_none(config, database):
    post = Post(config, database)
    with database.session(writes=True) as session:
        post.put(LETTER, MONDAY, within=session)
        session.rollback()

    assert post.empty(MONDAY) == 0


def test_a_mail_taken_by_a_process_that_died_is_sent_by_another(smtp, config, database):
    post = Post(config, database)
    post.put(LETTER, MONDAY)
    with database.reading() as session:
        number = mail.newest(session)[0].id
    assert post._take(number, MONDAY) is not None

    assert post.empty(MONDAY) == 0
    assert post.empty(MONDAY + mail.TAKEN_FOR) == 1
    with database.writing() as session:
        mail.purge(session, MONDAY + mail.KEPT_FOR + timedelta(hours=1))
    with database.reading() as session:
        assert mail.newest(session) == []


def test_one_mail_that_fails_keeps_no_other(smtp, config, database):
    post = Post(config, database)
    post.put(Mail(to="no@example.org", name="", subject="a", text="b"), MONDAY)
    smtp.status = 451
    post.empty(MONDAY)
    smtp.status = 250
    post.put(LETTER, MONDAY)

    assert [post.empty(MONDAY), post.empty(MONDAY + mail.AGAIN[0])] == [1, 1]


@pytest.mark.parametrize(
    ("given", "attr"),
    [
        pytest.param({"MAIL_HOST": "mail.example.org"}, "MAIL_FROM", id="no sender"),
        pytest.param(
            {"ALLOW_SELF_REGISTER": "1", "SELF_REGISTER_DOMAINS": "example.org"},
            "SELF_REGISTER_DOMAINS", id="domains nobody can check",
        ),
    ],
)  # fmt: skip
def test_what_cannot_work_stops_the_start(given, attr):
    with pytest.raises(BadSetting) as refused:
        from_environment(given)
    assert refused.value.attr == attr


@pytest.fixture
def mailing(app, smtp):
    """The application with a mail server."""
    app.config |= {
        "MAIL_HOST": "localhost", "MAIL_PORT": smtp.server_address[1],
        "MAIL_SECURITY": "none", "MAIL_FROM": "tt@example.org",
    }  # fmt: skip
    return app


def sent(app, now=MONDAY):
    """Let the scheduler send what waits."""
    Scheduler(app, app.extensions["database"], ()).round(now)


def link_in(smtp):
    return re.search(r"http://localhost(/password/\S+)", read(smtp).get_content())[1]


def test_who_is_invited_gets_the_link_by_mail(mailing, browser, smtp):
    browser.post("/admin/users/new", {"username": "bob", "email": "bob@example.org"})
    assert "on its way to bob@example.org" in browser.text
    sent(mailing)

    bob = Browser(mailing.test_client())
    assert "For bob" in bob.get(link_in(smtp)).get_data(as_text=True)
    assert "24 Nov" not in browser.get("/admin/system").text
    assert "20 Oct 2025" in browser.text, "the System page says when mail was sent last"


def test_an_administrator_sees_a_mail_that_was_not_taken_and_why(mailing, browser, smtp):
    smtp.status = 550
    browser.post("/admin/users/new", {"username": "bob", "email": "bob@example.org"})
    sent(mailing)
    page = browser.get("/admin/system").text

    assert "bob@example.org" in page
    assert "550 said" in page
    assert "/password/" not in page


def test_without_mail_an_invitation_is_a_link_only(browser):
    browser.post("/admin/users/new", {"username": "bob", "email": "bob@example.org"})

    assert "on its way" not in browser.text
    assert "/password/" in browser.text


def test_a_forgotten_password_is_replaced_by_mail(mailing, smtp):
    with mailing.extensions["database"].writing() as session:
        accounts.by_name(session, "ann").email = "ann@example.org"
    visitor = Browser(mailing.test_client())
    assert "Forgotten your password?" in visitor.get("/login").get_data(as_text=True)
    answers = set()
    for who in ("ann", "ANN@example.org", "nobody"):
        visitor.get("/forgot")
        visitor.post("/forgot", {"who": who})
        answers.add(re.sub(r'content="\w+"', "", visitor.text))
    sent(mailing)

    assert len(answers) == 1, "nobody learns who has an account"
    assert len(smtp.mails) == 2
    link = link_in(smtp)
    visitor.get(link)
    visitor.post(link, {"password": PASSWORD + "!", "password_again": PASSWORD + "!"})
    assert visitor.sign_in(password=PASSWORD + "!").status_code == 200


def test_links_by_mail_are_limited(mailing):
    visitor = Browser(mailing.test_client())
    visitor.get("/forgot")
    found = [visitor.post("/forgot", {"who": "ann"}).status_code for _ in range(6)]

    assert found == [200] * 5 + [429]


def test_without_mail_there_is_no_link_to_ask_for(visitor):
    assert visitor.get("/forgot").status_code == 404
    assert "An administrator can give you a link" in visitor.get("/login").text


def test_a_long_timer_is_written_about_once(mailing, smtp, clock):
    browser = Browser(mailing.test_client())
    browser.sign_in()
    with mailing.extensions["database"].writing() as session:
        accounts.by_name(session, "ann").email = "ann@example.org"
    browser.post("/timer/start", {"key": "k"})
    remind = next(job for job in jobs.JOBS if job.name == "reminders")
    with mailing.app_context():
        for hours in (7, 8.5, 9, 27, 28.5, 60):
            now = MONDAY + timedelta(hours=hours)
            assert remind.wanted(mailing, now)
            remind.run(mailing, now)
        mailing.config["ENABLE_EMAIL"] = False
        assert not remind.wanted(mailing, MONDAY)
        mailing.config["ENABLE_EMAIL"] = True
    sent(mailing, now)

    assert len(smtp.mails) == 1
    assert "8h 30m" in read(smtp).get_content()


def register(app, **form):
    visitor = Browser(app.test_client())
    visitor.get("/register")
    return visitor, visitor.post("/register", form)


def user(app, name):
    with app.extensions["database"].reading() as session:
        return session.scalar(select(User).where(User.username == name))


def test_registration_is_closed_unless_opened(app, visitor):
    assert visitor.get("/register").status_code == 404
    assert "Make an account" not in visitor.get("/login").text
    app.config["ALLOW_SELF_REGISTER"] = True
    assert "Make an account" in visitor.get("/login").text
    app.config["AUTH_METHOD"] = "oidc"
    assert visitor.get("/register").status_code == 404


def test_without_mail_who_registers_is_in_at_once(app):
    app.config["ALLOW_SELF_REGISTER"] = True
    visitor, _ = register(app, username="bob", password=PASSWORD, password_again=PASSWORD)

    assert "Nothing yet today" in visitor.text
    assert (user(app, "bob").role, user(app, "bob").signup_method) == ("user", "local")
    _, refused = register(app, username="bob", password=PASSWORD, password_again=PASSWORD)
    assert refused.status_code == 422


def test_with_mail_an_address_is_confirmed_first_and_may_have_to_be_ours(mailing, smtp):
    mailing.config |= {
        "ALLOW_SELF_REGISTER": True, "SELF_REGISTER_DOMAINS": ("Example.org",),
    }  # fmt: skip
    for wrong in ("bob@evil.example", "", "bob"):
        visitor, refused = register(mailing, username="bob", email=wrong, password=PASSWORD)
        assert refused.status_code == 422
    visitor, _ = register(
        mailing, username="bob", email="bob@EXAMPLE.org", password=PASSWORD
    )
    assert "on its way" in visitor.text
    assert user(mailing, "bob").password_hash is None, "not before the address is confirmed"
    sent(mailing)
    link = link_in(smtp)
    visitor.get(link)
    visitor.post(link, {"password": PASSWORD, "password_again": PASSWORD})
    assert visitor.sign_in("bob").status_code == 200


def test_registrations_of_one_address_are_limited(app):
    app.config["ALLOW_SELF_REGISTER"] = True
    found = [
        register(app, username=f"b{n}", password=PASSWORD, password_again=PASSWORD)[1]
        for n in range(6)
    ]
    assert [answer.status_code for answer in found] == [200] * 5 + [429]


def test_an_administrator_tries_mail_and_sees_how_it_went(mailing, browser, smtp):
    assert browser.post("/admin/system/mail").status_code == 422, "no address of their own"
    with mailing.extensions["database"].writing() as session:
        accounts.by_name(session, "ann").email = "ann@example.org"
    browser.post("/admin/system/mail")
    assert "took a mail to ann@example.org" in browser.text
    assert "test you asked for" in read(smtp).get_content()
    smtp.status = 550
    browser.post("/admin/system/mail")
    assert "550 said" in browser.text
    mailing.config["ENABLE_EMAIL"] = False
    assert browser.post("/admin/system/mail").status_code == 409
