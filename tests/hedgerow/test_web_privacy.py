"""What a project does not keep, and how a person's properties came to be, as screens."""

import pytest

from tests.hedgerow.visiting import Server

pytestmark = pytest.mark.slow  # a whole server, though without a socket


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    made = Server(tmp_path_factory.mktemp("privacy"))
    yield made
    made.close()


@pytest.fixture
def project(server):
    return server.project()


@pytest.fixture
def admin(server, project):
    return server.signed_in(server.user(f"admin{project.id}@example.org", project, "admin"))


def settings(project, rest=""):
    return f"/p/{project.id}/settings/privacy{rest}"


def kept(server, project):
    return server.house.directory.project_of_id(project.id)


def test_a_rule_made_on_the_screen_holds_for_the_next_event(server, project, admin):
    rule = {"do": "add", "property": "email", "action": "shorten", "length": "3"}
    reply = admin.post(settings(project), data=rule)
    server.captured(
        project, ("signed up", "ada", {"email": "ada@example.org", "plan": "pro"})
    )

    page = admin.get(f"/p/{project.id}/events").text

    assert reply.status_code == 303
    assert "ada@example.org" not in page
    assert "ada</bdi>" in page
    assert "beginning" in admin.get(settings(project)).text


def test_a_rule_is_taken_back(server, project, admin):
    admin.post(settings(project), data={"do": "add", "property": "a", "action": "drop"})
    admin.post(settings(project), data={"do": "add", "property": "b", "action": "hash"})
    admin.post(settings(project), data={"do": "drop", "property": "a"})

    assert kept(server, project).privacy_rules == [{"property": "b", "action": "hash"}]


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"do": "add", "property": " ", "action": "drop"}, "names no property"),
        ({"do": "add", "property": "a", "action": "sing"}, "sing"),
        ({"do": "add", "property": "a", "action": "shorten", "length": "x"}, "characters"),
        ({"do": "add", "property": "a", "action": "shorten", "length": "0"}, "length 0"),
        ({"do": "keep", "retention_days": "0"}, "number of days"),
        ({"do": "keep", "retention_days": "soon"}, "soon"),
        ({"do": "dance"}, "dance"),
    ],
    ids=["no property", "no action", "no number", "nothing left", "0", "word", "no act"],
)
def test_bad_input_is_told_and_changes_nothing(server, project, admin, form, said):
    reply = admin.post(settings(project), data=form)

    assert said in reply.text
    assert kept(server, project).privacy_rules == []
    assert kept(server, project).retention_days is None


def test_two_rules_for_one_property_are_refused(server, project, admin):
    rule = {"do": "add", "property": "a", "action": "drop"}
    admin.post(settings(project), data=rule)

    assert "two privacy rules" in admin.post(settings(project), data=rule).text


def test_the_preview_says_how_many_events_would_go(server, project, admin):
    old = {"timestamp": "2020-01-01T00:00:00Z"}
    server.captured(project, ("now", "ada", {}), ("now", "bob", {}))
    token = kept(server, project).api_token
    admin.post(
        "/batch/",
        json={"api_key": token, "batch": [{"event": "then", "distinct_id": "ada", **old}]},
    )
    server.house.flush(10)

    def preview(days):
        return admin.get(
            settings(project, "/preview"), params={"retention_days": days}
        ).text

    assert ">1</b> of 3 events" in preview("365")
    assert "none of the 3 events" in preview("36500")
    assert "all 3 events stay" in preview("")
    assert "no number of days" in preview("-1")


def test_every_change_of_a_person_is_told(server, project, admin):
    for plan in ("free", "pro"):
        server.captured(project, ("$set", "ada", {"$set": {"plan": plan}}))

    page = admin.get(f"/p/{project.id}/persons/ada/history").text

    assert page.index("became") < page.index("set to")
    assert ">pro</bdi>" in page


def test_a_person_nothing_was_said_about_has_no_history(server, project, admin):
    server.captured(project, ("$identify", "ada", {"$anon_distinct_id": "anon"}))

    assert (
        "Nothing has changed yet" in admin.get(f"/p/{project.id}/persons/ada/history").text
    )
