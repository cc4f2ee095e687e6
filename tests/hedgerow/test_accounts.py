"""Who there is, what they may, and whether they get in."""

from datetime import timedelta

import pytest

from hedgerow.errors import Conflict, InvalidInput, NotAuthenticated, NotFound, TooManyTries
from hedgerow.meta import access, accounts, projects
from hedgerow.meta.projects import ProjectFields

PASSWORD = "a long and quiet sentence"
PLACE = "192.0.2.7"


@pytest.fixture
def ann(metadata, now):
    with metadata.writing() as session:
        return accounts.create_user(session, "Ann@Example.org", PASSWORD, now=now)


@pytest.fixture
def shop(metadata, now):
    with metadata.writing() as session:
        return projects.create(session, ProjectFields(name="Shop"), now)


def test_nobody_is_there_at_first(metadata):
    with metadata.reading() as session:
        assert not accounts.is_set_up(session)


def test_the_right_password_lets_in_whatever_the_case_of_the_address(metadata, ann, now):
    found = accounts.sign_in(metadata, " ANN@example.ORG", PASSWORD, address=PLACE, now=now)

    assert found.id == ann.id
    assert found.password_hash.startswith("$argon2id$")


def test_account_and_password_are_refused_in_the_same_words(metadata, ann, now):
    said = set()
    for email, password in (("ann@example.org", "wrong"), ("bob@example.org", PASSWORD)):
        with pytest.raises(NotAuthenticated) as refused:
            accounts.sign_in(metadata, email, password, address=PLACE, now=now)
        said.add(str(refused.value))

    assert len(said) == 1


def test_guessing_is_slowed_down_and_waiting_helps(metadata, ann, now):
    for _ in range(accounts.TRIES):
        with pytest.raises(NotAuthenticated):
            accounts.sign_in(metadata, ann.email, "wrong", address=PLACE, now=now)

    with pytest.raises(TooManyTries, match="Wait 15 minutes"):
        accounts.sign_in(metadata, ann.email, PASSWORD, address="198.51.100.1", now=now)
    with pytest.raises(TooManyTries):
        accounts.sign_in(metadata, "other@example.org", "x", address=PLACE, now=now)

    later = now + accounts.TRIES_WITHIN + timedelta(seconds=1)
    assert accounts.sign_in(metadata, ann.email, PASSWORD, address=PLACE, now=later)


def test_who_is_not_active_is_not_let_in(metadata, ann, now):
    with metadata.writing() as session:
        accounts.set_active(session, ann.id, is_active=False)

    with pytest.raises(NotAuthenticated):
        accounts.sign_in(metadata, ann.email, PASSWORD, address=PLACE, now=now)


@pytest.mark.parametrize(
    ("email", "password", "attr"),
    [
        pytest.param("nobody", PASSWORD, "email", id="no address"),
        pytest.param("a b@c.d", PASSWORD, "email", id="a blank in the address"),
        pytest.param("a@b.c", "short", "password", id="a short password"),
        pytest.param("a@b.c", "x" * 1001, "password", id="an endless password"),
    ],
)
def test_an_account_needs_an_address_and_a_decent_password(
    metadata, now, email, password, attr
):
    with (
        metadata.writing() as session,
        pytest.raises(InvalidInput) as refused,
    ):
        accounts.create_user(session, email, password, now=now)

    assert refused.value.attr == attr


def test_an_address_has_one_account(metadata, ann, now):
    with metadata.writing() as session, pytest.raises(Conflict):
        accounts.create_user(session, "ANN@example.org", PASSWORD, now=now)


@pytest.mark.parametrize("held", accounts.ROLES)
@pytest.mark.parametrize("needed", accounts.ROLES)
def test_a_role_includes_those_below_it(held, needed):
    order = ["viewer", "editor", "admin", "owner"]

    assert accounts.reaches(held, needed) == (order.index(held) >= order.index(needed))


def test_nobody_reaches_anything_without_a_role():
    assert not accounts.reaches(None, "viewer")


def test_an_administrator_is_owner_everywhere(metadata, shop, now):
    with metadata.writing() as session:
        root = accounts.create_user(session, "root@b.c", None, now=now, is_admin=True)

        assert accounts.role_of(session, root, shop.id) == "owner"


def test_the_last_owner_of_a_project_stays(metadata, ann, shop):
    with metadata.writing() as session:
        accounts.set_role(session, ann.id, shop.id, "owner")
        session.flush()

        with pytest.raises(Conflict):
            accounts.set_role(session, ann.id, shop.id, "viewer")
        with pytest.raises(Conflict):
            accounts.remove_member(session, ann.id, shop.id)


def test_an_owner_may_go_when_there_is_another(metadata, ann, shop, now):
    with metadata.writing() as session:
        bob = accounts.create_user(session, "bob@b.c", None, now=now)
        for one in (ann, bob):
            accounts.set_role(session, one.id, shop.id, "owner")
        session.flush()
        accounts.remove_member(session, ann.id, shop.id)
        session.flush()

        assert [(u.email, r) for u, r in accounts.members(session, shop.id)] == [
            ("bob@b.c", "owner")
        ]


def test_the_last_administrator_stays(metadata, now):
    with metadata.writing() as session:
        root = accounts.create_user(session, "root@b.c", None, now=now, is_admin=True)

        with pytest.raises(Conflict):
            accounts.set_admin(session, root.id, is_admin=False)
        with pytest.raises(Conflict):
            accounts.set_active(session, root.id, is_active=False)


def test_a_session_lasts_while_it_is_used_and_ends_when_closed(metadata, ann, now):
    with metadata.writing() as session:
        token = access.open_session(session, ann, now=now, agent="x" * 999)
    with metadata.writing() as session:
        row, user = access.session_of(session, token, now)
        assert user.id == ann.id
        assert access.session_of(session, token, now + access.SESSION_FOR) is None
        access.touch_session(session, row.id, now + timedelta(days=29))
    with metadata.writing() as session:
        assert access.session_of(session, token, now + access.SESSION_FOR)
        access.close_session(session, row.id, ann.id)
        assert access.session_of(session, token, now) is None


def test_nobody_closes_the_session_of_another(metadata, ann, now):
    with metadata.writing() as session:
        token = access.open_session(session, ann, now=now)
        row, _ = access.session_of(session, token, now)
        access.close_session(session, row.id, ann.id + 1)

        assert access.session_of(session, token, now)


def test_signing_out_everywhere_may_leave_this_browser(metadata, ann, now):
    with metadata.writing() as session:
        here, there = (access.open_session(session, ann, now=now) for _ in range(2))
        row, _ = access.session_of(session, here, now)
        access.close_all(session, ann.id, but=row.id)

        assert access.session_of(session, here, now)
        assert access.session_of(session, there, now) is None


def test_a_key_is_kept_as_a_hash_only(metadata, ann, now):
    wish = access.KeyRequest(label="report", scopes=["query:read"])
    with metadata.writing() as session:
        row, text = access.make_key(session, ann, wish, now)

        assert text.startswith("phx_")
        assert text not in str(vars(row))
        assert row.hint == text[-4:]
        found, user = access.key_of(session, text, now)
        assert (found.id, user.id) == (row.id, ann.id)


def test_a_key_ends_at_its_time_and_when_revoked(metadata, ann, now):
    end = now + timedelta(days=1)
    wish = access.KeyRequest(label="report", scopes=["*"], expires_at=end)
    with metadata.writing() as session:
        row, text = access.make_key(session, ann, wish, now)
        assert access.key_of(session, text, end) is None
        with pytest.raises(NotFound):
            access.revoke_key(session, row.id, ann.id + 1)
        access.revoke_key(session, row.id, ann.id)

    with metadata.reading() as session:
        assert access.key_of(session, text, now) is None


@pytest.mark.parametrize(
    ("wish", "attr"),
    [
        pytest.param({"label": "", "scopes": ["*"]}, "label", id="no label"),
        pytest.param({"label": "x", "scopes": []}, "scopes", id="no scope"),
        pytest.param({"label": "x", "scopes": ["query:eat"]}, "scopes", id="no such scope"),
    ],
)
def test_a_key_says_what_it_is_for_and_what_it_may(metadata, ann, now, wish, attr):
    with metadata.writing() as session, pytest.raises(InvalidInput) as refused:
        access.make_key(session, ann, access.KeyRequest(**wish), now)

    assert refused.value.attr == attr


def test_a_key_cannot_have_expired_before_it_is_made(metadata, ann, now):
    wish = access.KeyRequest(label="x", scopes=["*"], expires_at=now)
    with metadata.writing() as session, pytest.raises(InvalidInput):
        access.make_key(session, ann, wish, now)


def test_a_link_lets_in_once(metadata, now):
    with metadata.writing() as session:
        token = access.make_link(session, "setup", now)
    with metadata.writing() as session:
        link = access.link_of(session, token, "setup", now)
        assert access.link_of(session, token, "password", now) is None
        assert access.link_of(session, token, "setup", now + access.LINK_FOR) is None
        access.use_link(session, link)
    with metadata.reading() as session:
        assert access.link_of(session, token, "setup", now) is None


def test_a_new_link_of_a_kind_ends_the_earlier_one(metadata, now):
    with metadata.writing() as session:
        first, second = (access.make_link(session, "setup", now) for _ in range(2))
        session.flush()

        assert access.link_of(session, first, "setup", now) is None
        assert access.link_of(session, second, "setup", now)


def test_what_fails_leaves_nothing_behind(metadata, now):
    def half_done():
        with metadata.writing() as session:
            accounts.create_user(session, "a@b.c", PASSWORD, now=now)
            accounts.create_user(session, "nobody", PASSWORD, now=now)

    with pytest.raises(InvalidInput):
        half_done()

    with metadata.reading() as session:
        assert not accounts.is_set_up(session)
