"""Saved insights, dashboards, their templates and their links."""

from datetime import timedelta

import pytest

from hedgerow.errors import InvalidInput, NotAuthenticated, NotFound
from hedgerow.meta import boards, cohorts, installing, projects, shares
from hedgerow.meta.projects import ProjectFields
from hedgerow.meta.templates import TEMPLATES
from hedgerow.query.definitions import decode
from hedgerow.query.definitions_cohorts import check

QUERY = {"kind": "TrendsQuery", "series": [{"kind": "EventsNode", "event": "sign up"}]}
HEALTH = [
    "Active Installations",
    "Version Distribution",
    "Platform Distribution",
    "Update Timeline",
    "Error Rate",
]
ENGAGEMENT = [
    "Daily Active Users",
    "Feature Usage",
    "Auth Method Split",
    "Timer Usage",
    "Export Activity",
]


@pytest.fixture
def shop(metadata, now):
    with metadata.writing() as session:
        return projects.create(session, ProjectFields(name="Shop"), now).id


@pytest.fixture
def session(metadata):
    with metadata.writing() as opened:
        yield opened


@pytest.fixture
def install(session, shop, now):
    return lambda key: installing.install(session, shop, installing.template(key), now=now)


@pytest.mark.parametrize(
    ("key", "widgets"),
    [("installation-health", HEALTH), ("user-engagement", ENGAGEMENT)],
)
def test_a_template_has_the_widgets_of_the_guide_in_its_order(
    session, install, key, widgets
):
    made = install(key)

    assert [shown.name for _, shown in boards.tiles(session, made.id)] == widgets


def test_every_question_and_cohort_of_the_templates_can_be_asked(session, shop, install):
    for key in TEMPLATES:
        install(key)
    found, total = boards.insights(session, shop, limit=100)

    assert total == 16 + 7 + 10
    for one in found:
        decode(one.query)
    for cohort in cohorts.of_project(session, shop).values():
        check(cohort.filters)


def test_what_the_guide_names_is_made_once(session, shop, install):
    for _ in range(2):
        install("installation-health")
        install("user-engagement")

    names = [one.name for one in cohorts.of_project(session, shop).values()]
    assert sorted(names) == ["Admins Using OIDC", "Docker Users on Latest Version"]
    found, _ = boards.insights(session, shop, search="Login methods")
    assert len(found) == 1


def test_installation_health_lets_python_versions_unite(session, shop, install):
    install("installation-health")

    assert projects.by_id(session, shop).union_properties == {
        "version": ["python_versions"]
    }


def test_the_export_tile_asks_for_the_cohorts_by_their_numbers(session, shop, install):
    made = install("user-engagement")
    (query,) = (
        shown.query
        for _, shown in boards.tiles(session, made.id)
        if shown.name == "Export Activity"
    )

    numbers = set(cohorts.of_project(session, shop))
    assert {*query["breakdownFilter"]["breakdown"]} == {*numbers, "all"}


def test_an_unknown_template_is_refused_with_those_there_are():
    with pytest.raises(NotFound, match="installation-health"):
        installing.template("nope")


def test_tiles_fill_the_grid_from_left_to_right(session, shop, now):
    board = boards.create_dashboard(session, shop, "One", now=now)
    for words in "abc":
        boards.add_tile(session, board.id, text=words)

    places = [(t.layout["x"], t.layout["y"]) for t, _ in boards.tiles(session, board.id)]
    assert places == [(0, 0), (6, 0), (0, 5)]


@pytest.mark.parametrize(
    "layout",
    [
        pytest.param({"x": 8, "y": 0, "w": 6, "h": 1}, id="beyond the right edge"),
        pytest.param({"x": 0, "y": 0, "w": 0, "h": 1}, id="no width"),
        pytest.param({"x": -1, "y": 0, "w": 1, "h": 1}, id="left of the grid"),
        pytest.param({"x": 0, "y": 0, "w": 1}, id="no height"),
    ],
)
def test_a_tile_stays_on_the_grid(session, shop, now, layout):
    board = boards.create_dashboard(session, shop, "One", now=now)

    with pytest.raises(InvalidInput):
        boards.add_tile(session, board.id, text="x", layout=layout)


@pytest.mark.parametrize(("insight_id", "text"), [(None, None), (1, "both")])
def test_a_tile_shows_one_thing(session, shop, now, insight_id, text):
    board = boards.create_dashboard(session, shop, "One", now=now)

    with pytest.raises(InvalidInput):
        boards.add_tile(session, board.id, insight_id=insight_id, text=text)


def test_a_deleted_insight_takes_its_tile_along_and_brings_it_back(session, shop, now):
    board = boards.create_dashboard(session, shop, "One", now=now)
    saved = boards.create_insight(session, shop, QUERY, now=now)
    boards.place_on(session, saved, [board.id])

    boards.change(saved, {"deleted": True}, now)
    session.flush()
    assert boards.tiles(session, board.id) == []

    boards.change(saved, {"deleted": False}, now)
    session.flush()
    assert len(boards.tiles(session, board.id)) == 1


def test_an_insight_stands_on_exactly_the_boards_named(session, shop, now):
    one, two = (boards.create_dashboard(session, shop, n, now=now) for n in ("1", "2"))
    saved = boards.create_insight(session, shop, QUERY, now=now)

    boards.place_on(session, saved, [one.id])
    boards.place_on(session, saved, [two.id])

    assert boards.dashboards_of(session, saved.id) == [two.id]


def test_a_copy_shows_the_same_insights(session, install, now):
    original = install("user-engagement")
    copy = boards.duplicate(session, original, now=now)

    shown = [[i.id for _, i in boards.tiles(session, b.id)] for b in (original, copy)]
    assert shown[0] == shown[1]


def test_another_project_sees_nothing_of_it(session, shop, now):
    other = projects.create(session, ProjectFields(name="Other"), now).id
    board = boards.create_dashboard(session, shop, "One", now=now)

    with pytest.raises(NotFound):
        boards.dashboard(session, other, board.id)
    with pytest.raises(NotFound):
        boards.place_on(
            session, boards.create_insight(session, other, QUERY, now=now), [board.id]
        )


def test_a_search_is_never_a_pattern(session, shop, now):
    boards.create_insight(session, shop, QUERY, now=now, name="Sign ups")

    assert boards.insights(session, shop, search="sIGN")[1] == 1
    assert boards.insights(session, shop, search="%")[1] == 0


def test_a_link_shows_a_board_until_it_ends_or_is_revoked(session, shop, now):
    board = boards.create_dashboard(session, shop, "One", now=now)
    end = now + timedelta(days=1)
    token = shares.share(session, board, now=now, expires_at=end)
    session.flush()

    link, shown = shares.shared(session, token, now)
    assert shown.id == board.id
    with pytest.raises(NotFound):
        shares.shared(session, token, end)
    shares.unshare(session, board.id, link.id)
    session.flush()
    with pytest.raises(NotFound):
        shares.shared(session, token, now)


def test_a_link_may_want_a_password(session, shop, now):
    board = boards.create_dashboard(session, shop, "One", now=now)
    token = shares.share(session, board, now=now, password="for colleagues")
    session.flush()
    link, _ = shares.shared(session, token, now)

    shares.unlock(link, "for colleagues")
    with pytest.raises(NotAuthenticated):
        shares.unlock(link, "for others")


def test_cohorts_never_refer_to_themselves_in_a_circle(session, shop, now):
    def inside(number):
        leaf = {"type": "cohort", "key": "id", "value": number}
        return {"properties": {"type": "AND", "values": [leaf]}}

    first = cohorts.create(session, shop, "first", {}, now=now)
    second = cohorts.create(session, shop, "second", inside(first.id), now=now)

    with pytest.raises(InvalidInput, match="in a loop"):
        cohorts.change(session, first, {"filters": inside(second.id)})


def test_a_cohort_in_use_is_not_deleted_and_its_users_are_named(session, shop, now):
    used = cohorts.create(session, shop, "used", {}, now=now)
    leaf = {"type": "cohort", "key": "id", "value": used.id}
    group = {"properties": {"type": "AND", "values": [leaf]}}
    cohorts.create(session, shop, "user", group, now=now)
    boards.create_insight(session, shop, {**QUERY, "properties": [leaf]}, name="I", now=now)
    projects.by_id(session, shop).test_account_filters = [leaf]

    with pytest.raises(InvalidInput, match="insight 'I', cohort 'user', the filter"):
        cohorts.change(session, used, {"deleted": True})


def test_new_criteria_make_a_new_version_of_unknown_size(session, shop, now):
    row = cohorts.create(session, shop, "c", {}, now=now)
    cohorts.counted(session, row, 7, now)
    cohorts.change(session, row, {"filters": {"properties": {}}})

    assert (row.version, row.count) == (2, None)
