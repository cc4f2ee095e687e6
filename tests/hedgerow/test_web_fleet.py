"""The fleet as screens: what each card says, who is behind it, and its settings."""

import json
import re
from datetime import timedelta

import pytest

from hedgerow.web.charts import fleet_parts
from hedgerow.web.fleet import CARDS
from tests.hedgerow.visiting import Server

pytestmark = pytest.mark.slow  # a whole server, though without a socket

VERSIONS = ("3.0.0", "3.0.0", "3.0.0", "2.9.0", "2.9.0", "2.8.0")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    made = Server(tmp_path_factory.mktemp("fleet"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def project(server):
    made = server.project()
    server.captured(
        made,
        *(
            (
                "telemetry.health",
                f"install-{i}",
                {"version": version, "platform": "Linux" if i % 2 else "Windows"},
            )
            for i, version in enumerate(VERSIONS)
        ),
        at=server.now() - timedelta(days=2),
    )
    return made


@pytest.fixture(scope="module")
def admin(server, project):
    return server.signed_in(server.user("fleet@example.org", project, "admin"))


def at(project, rest=""):
    return f"/p/{project.id}/fleet{rest}"


def test_the_screen_names_how_many_are_known(admin, project):
    text = admin.get(at(project)).text

    assert "6 installations known, 6 of them reporting" in text
    assert len(re.findall(r'hx-get="[^"]*fleet/cards/', text)) == len(CARDS)


@pytest.mark.parametrize("name", CARDS)
def test_every_card_answers_and_can_be_downloaded(admin, project, name):
    card = admin.get(at(project, f"/cards/{name}?from=-30d&environments=all"))
    file = admin.get(at(project, f"/cards/{name}/csv"))

    assert card.status_code == file.status_code == 200
    assert "Something went wrong" not in card.text
    assert CARDS[name].title in card.text
    assert file.headers["content-type"].startswith("text/csv")


def test_a_card_says_how_many_run_each_platform(admin, project):
    text = admin.get(at(project, "/cards/platform?from=-30d")).text

    assert re.search(r"Linux.*?3", text, re.DOTALL)
    assert "SQL" in text


def test_behind_a_bar_are_the_installations_it_counts(admin, project):
    text = admin.get(at(project, "/cards/platform")).text
    query = re.search(r"data-query='([^']+)'", text)[1].replace("&#34;", '"')
    who = '{"row": {"value": "Windows"}}'

    reply = admin.get(f"/p/{project.id}/behind", params={"query": query, "who": who})

    assert reply.status_code == 200
    assert len(re.findall(r"install-\d", reply.text)) >= 3
    assert "install-1" not in reply.text


def test_the_list_of_installations_is_filtered_and_downloaded(admin, project):
    page = admin.get(at(project, "/installations"), params={"version_lt": "2.9"}).text
    file = admin.get(
        at(project, "/installations"), params={"version_lt": "2.9", "as": "csv"}
    )

    assert "1 fits" in page
    assert "install-5" in page
    assert len(file.text.strip().splitlines()) == 2


@pytest.mark.parametrize(
    "asked", [{"state": "asleep"}, {"behind": "many"}], ids=["state", "behind"]
)
def test_a_filter_that_makes_no_sense_is_told(admin, project, asked):
    text = admin.get(at(project, "/installations"), params=asked).text

    assert f"&#39;{next(iter(asked.values()))}&#39;" in text
    assert "Something went wrong" not in text


def test_few_installations_are_a_list_and_none_are_a_snippet(server):
    small, none = server.project("Small"), server.project("None")
    server.captured(small, ("telemetry.health", "one", {"version": "1.0"}))
    owner = server.signed_in(server.user("own@example.org", is_admin=True))

    assert "a list says more than charts" in owner.get(at(small)).text
    assert "telemetry.health" in owner.get(at(none)).text
    assert "curl" in owner.get(at(none)).text


@pytest.mark.parametrize(
    ("today", "warned"), [(3, True), (25, False)], ids=["few", "usual"]
)
def test_fewer_reports_than_on_this_day_of_the_week_are_a_warning(server, today, warned):
    made, now = server.project("Reports"), server.now()
    for days, count in [(0, today), *((day, 25) for day in (*range(1, 8), 14, 21, 28))]:
        beats = (("telemetry.health", f"i-{i}", {"version": "1.0"}) for i in range(count))
        server.captured(made, *beats, at=now - timedelta(days=days))
    owner = server.signed_in(server.user(f"{today}@example.org", is_admin=True))

    text = owner.get(at(made, "/now")).text

    assert ("Fewer reports than usual" in text) is warned
    assert ("where 25 is usual" in text) is warned


def fleet_of(server, project):
    return server.house.directory.project_of_id(project.id).fleet


def test_releases_are_added_yanked_and_taken_off(server, admin, project):
    place = f"/p/{project.id}/settings/fleet"
    admin.post(place, data={"do": "release", "version": "9.0", "released_at": "2025-01-01"})
    admin.post(place, data={"do": "release", "version": "v9.0.0"})
    admin.post(place, data={"do": "yank", "version": "v9.0.0"})

    (release,) = fleet_of(server, project)["releases"]
    assert release["version"] == "v9.0.0"
    assert release["yanked_at"]
    admin.post(place, data={"do": "drop", "version": "v9.0.0"})
    assert fleet_of(server, project)["releases"] == []


def test_a_list_of_releases_is_taken_in(server, admin, project):
    text = b"version,released_at\n1.0,2024-01-01\n1.1,2024-02-01\n"

    admin.post(
        f"/p/{project.id}/settings/fleet",
        data={"do": "import"},
        files={"file": ("releases.csv", text, "text/csv")},
    )

    assert [one["version"] for one in fleet_of(server, project)["releases"]] == [
        "1.0",
        "1.1",
    ]


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"do": "release", "version": "1", "released_at": "soon"}, "soon"),
        ({"do": "support", "series": "two", "ends": "2026-01-01"}, "two"),
        ({"do": "public", "enabled": "1", "k": "10"}, "slug"),
        ({"do": "public", "k": "4"}, "4"),
        ({"do": "names"}, "heartbeat_event"),
        ({"do": "import"}, "no file"),
        ({"do": "dance"}, "dance"),
    ],
    ids=["no day", "no series", "no address", "small k", "no name", "no file", "no act"],
)
def test_settings_that_make_no_sense_are_told_and_change_nothing(
    server, admin, project, form, said
):
    before = fleet_of(server, project)

    reply = admin.post(f"/p/{project.id}/settings/fleet", data=form)

    assert reply.status_code == 200
    assert said in reply.text
    assert fleet_of(server, project) == before


@pytest.fixture(scope="module")
def crowd(server):
    """A project to which 25 installations came on one day, and a release two days before."""
    made = server.project("Crowd")
    beats = [("telemetry.health", f"c{n}", {"platform": "Linux"}) for n in range(25)]
    server.captured(made, *beats, at=server.now() - timedelta(days=3))
    visitor = server.signed_in(server.user("crowd@example.org", made, "admin"))
    released = (server.now() - timedelta(days=5)).date().isoformat()
    visitor.post(
        f"/p/{made.id}/settings/fleet",
        data={"do": "release", "version": "4.2.0", "released_at": released},
    )
    return made, visitor, released


def marks_of(text):
    drawn = re.search(r'<script type="application/json">(.*?)</script>', text, re.DOTALL)[1]
    return [(one["at"][:10], one["text"]) for one in json.loads(drawn)["marks"]]


def test_a_burst_is_marked_on_the_flow_with_what_most_of_them_share(server, crowd):
    made, visitor, released = crowd
    day = (server.now() - timedelta(days=3)).date().isoformat()

    text = visitor.get(at(made, "/cards/flow")).text

    assert marks_of(text) == [(day, "burst: 25 new, Linux"), (released, "4.2.0")]
    assert "of them say platform Linux." in text


def test_releases_are_marked_on_any_chart_over_time(crowd):
    made, visitor, released = crowd
    query = {
        "kind": "TrendsQuery",
        "series": [{"kind": "EventsNode", "event": "telemetry.health"}],
        "dateRange": {"date_from": "-14d"},
    }

    place = f"/p/{made.id}/insights/answer"
    text = visitor.post(place, data={"q": json.dumps(query)}).text

    assert marks_of(text) == [(released, "4.2.0")]


def test_of_hundreds_of_versions_the_newest_are_shown_with_their_errors():
    row = {"installations": 1, "installation_days": 1, "errors": 0, "affected": 0}
    rows = [{"version": f"1.{n}", "rate": 0.0, "ci": None, **row} for n in range(400)]

    table = fleet_parts.errors({"rows": rows, "comparison": None}).table

    assert [one[0].text for one in table.rows] == [f"1.{n}" for n in range(399, 387, -1)]
