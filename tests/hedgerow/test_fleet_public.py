"""What anybody may see of a fleet, attacked: no cell of a few can be worked out."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from hedgerow.insights.fleet.cells import band, plain
from hedgerow.insights.fleet.publication import Last, replaceable
from hedgerow.insights.fleet.publishing import moved
from hedgerow.insights.fleet.ranges import span
from hedgerow.insights.fleet.suppression import Grid, rounded, table

K = 10
COUNTS = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(1, 40), max_size=8)
GRIDS = st.integers(2, 4).flatmap(
    lambda width: st.lists(
        st.lists(st.integers(0, 30), min_size=width, max_size=width), min_size=2, max_size=4
    )
)


@given(COUNTS, st.integers(5, 15))
def test_nothing_published_stands_for_fewer_than_k(counts, k):
    shown = table(counts, k)

    total = sum(counts.values())
    assert shown.total == (rounded(total) if total >= k else None)
    assert all(counts[name] >= k for name in shown.named)
    hidden = total - sum(counts[name] for name in shown.named)
    if shown.published:
        assert hidden == 0 or hidden >= k
        assert (shown.other is None) == (hidden == 0)
    else:
        assert shown.rows == []


@given(COUNTS)
def test_one_cell_is_never_hidden_alone_unless_it_is_large(counts):
    shown = table(counts, K)

    alone = counts.keys() - set(shown.named)
    if shown.published and len(alone) == 1:
        assert counts[alone.pop()] >= K


@pytest.mark.parametrize(
    ("counts", "rows", "other", "total"),
    [
        (
            {"Linux": 23, "Windows": 12, "Darwin": 7, "FreeBSD": 1},
            [("Linux", 25)],
            20,
            45,
        ),
        (
            {"Linux": 23, "Windows": 12, "Darwin": 9, "FreeBSD": 1},
            [("Linux", 25), ("Windows", 10)],
            10,
            45,
        ),
        ({"Linux": 22, "Windows": 20}, [("Linux", 20), ("Windows", 20)], None, 40),
    ],
)
def test_the_examples_of_the_design(counts, rows, other, total):
    shown = table(counts, K)

    assert (shown.rows, shown.other, shown.total) == (rows, other, total)


def test_the_cross_table_of_the_design():
    grid = Grid([[18, 13], [2, 10], [9, 2]], K)

    assert grid.shown() == [[20, 15], [None, None], [None, None]]
    assert not grid.enough


@settings(max_examples=60, deadline=None)
@given(GRIDS)
def test_a_cross_table_pins_no_small_cell_down(cells):
    grid = Grid(cells, K)

    known = {place: cells[place[0]][place[1]] for place in grid.hidden}
    spans = []
    for place, count in known.items():
        low, high = between(cells, grid.hidden, place)
        assert span(known, place) == pytest.approx(high - low)
        spans += [high - low] if count < K else []
    assert grid.safe == all(one >= K - 1e-6 for one in spans)


def between(cells, hidden, place):
    """Return what an attacker who knows every sum can say of a hidden cell."""
    order = sorted(hidden)
    lines = [[one for one in order if one[0] == i] for i in range(len(cells))]
    lines += [[one for one in order if one[1] == j] for j in range(len(cells[0]))]
    lines = [line for line in lines if line]
    sums = [sum(cells[i][j] for i, j in line) for line in lines]
    matrix = [[float(one in line) for one in order] for line in lines]
    aim = [float(one == place) for one in order]
    ends = [
        linprog([sign * x for x in aim], A_eq=matrix, b_eq=sums).fun * sign
        for sign in (1, -1)
    ]
    return ends[0], ends[1]


PEOPLE = range(40)
DAYS = st.lists(
    st.lists(
        st.tuples(st.sampled_from(PEOPLE), st.sampled_from(["Linux", "Windows", None])),
        max_size=25,
    ),
    max_size=6,
)


@settings(max_examples=80, deadline=None)
@given(DAYS)
def test_two_publications_never_differ_by_a_few(days):
    now = dict.fromkeys(PEOPLE, "Linux")
    last = Last()
    shown = None
    for changes in [[], *days]:
        now |= dict(changes)
        cells = {key: cell for key, cell in now.items() if cell is not None}
        found = {"platform": cells, "total": dict.fromkeys(cells, "total")}
        joined = moved(last.cells.get("total", {}), found["total"])
        replaced, _ = replaceable(found, last, K, joined)
        if not replaced:
            continue
        if shown is not None:
            assert len(shown.keys() ^ cells.keys()) not in range(1, K)
        for name in replaced:
            before = last.cells.get(name, {})
            keys = before.keys() | found[name].keys()
            assert sum(before.get(one) != found[name].get(one) for one in keys) >= K
            last.cells[name] = found[name]
        last.cells["total"], shown = found["total"], cells


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Linux", "Linux"),
        ("", "unknown"),
        (None, "unknown"),
        ("other", "unlisted"),
        ("<b>me</b>", "unlisted"),
        ("x" * 41, "unlisted"),
        ("my-secret@example.org", "unlisted"),
    ],
)
def test_only_short_plain_words_get_through(text, shown):
    assert plain(text) == shown


@pytest.mark.parametrize(
    ("zone", "shown"),
    [
        ("Europe/London", "UTC+00:00 to +02:59"),
        ("America/Chicago", "UTC-06:00 to -03:01"),
        ("UTC", "UTC"),
        ("Nowhere", "unknown"),
    ],
)
def test_zones_are_told_by_three_hours(zone, shown):
    assert band(zone, 2026) == shown


def beat(who, platform, day="2026-03-01"):
    return {
        "event": "telemetry.health",
        "distinct_id": who,
        "timestamp": f"{day}T10:00:00Z",
        "properties": {"version": "3.0.0", "platform": platform, "timezone": "UTC"},
    }


@pytest.fixture
def page(api, house):
    """A fleet of which a page is published, a day after its reports."""
    yesterday = house.clock().date().toordinal() - 1
    day = house.clock().date().fromordinal(yesterday).isoformat()
    fleet = [beat(f"l{n}", "Linux", day) for n in range(23)]
    fleet += [beat(f"w{n}", "Windows", day) for n in range(12)]
    fleet += [beat(f"d{n}", "Darwin", day) for n in range(7)]
    api.capture(*fleet)
    api.day = day
    api.slug = f"fleet-{api.id}"
    public = {"enabled": True, "slug": api.slug, "cross": ["platform", "version"]}
    releases = [{"version": "3.0.0", "released_at": "2026-01-01"}]
    api.patch("/fleet/settings", {"public": public, "releases": releases})
    return api


def test_a_page_is_published_and_stays_when_only_a_few_change(page):
    first = page.post("/fleet/public/publish", {}, status=200)
    page.capture(*(beat(f"n{n}", "Linux", page.day) for n in range(3)))
    second = page.post("/fleet/public/publish", {}, status=200)
    page.capture(*(beat(f"m{n}", "Linux", page.day) for n in range(9)))
    third = page.post("/fleet/public/publish", {}, status=200)

    platform = first["page"]["tables"]["platform"]
    assert platform["rows"] == [{"value": "Linux", "count": 25, "share": 56}]
    assert (platform["other"], platform["total"]) == (20, 40)
    assert first["page"]["tables"]["version"]["rows"][0]["value"] == "3.0.0"
    assert first["page"]["reporting"] == 40
    assert second["replaced"] == []
    assert second["page"]["tables"] == first["page"]["tables"]
    assert "fewer than 10" in second["reasons"]["platform"]
    assert "platform" in third["replaced"]
    assert third["page"]["reporting"] == 55


def test_somebody_who_asked_not_to_be_shown_is_not_on_the_page(page):
    quiet = [beat(f"q{n}", "Linux", page.day) for n in range(20)]
    for one in quiet:
        one["properties"]["fleet_public"] = False
    page.capture(*quiet)

    assert page.post("/fleet/public/publish", {}, status=200)["page"]["reporting"] == 40


def test_a_page_that_is_off_cannot_be_published(api):
    told = api.refused("POST", "/fleet/public/publish", {})

    assert told["attr"] == "public.enabled"


def test_counter_of_cells_is_what_tables_are_made_of():
    assert table(Counter(["a"] * 12 + ["b"] * 11), K).named == ("a", "b")


def test_the_page_and_its_feeds_say_what_was_published_to_anybody(client, page):
    published = page.post("/fleet/public/publish", {}, status=200)["page"]
    address = f"/fleet/{page.slug}"
    feed = client.get(f"{address}.json?platform=Linux")
    html = client.get(address)
    rows = client.get(f"{address}/history.csv").text.splitlines()
    badge = client.get(f"{address}/badge/adoption.svg")

    assert feed.json() == published
    assert feed.headers["access-control-allow-origin"] == "*"
    assert (
        client.get(feed.url, headers={"If-None-Match": feed.headers["etag"]}).status_code
        == 304
    )
    assert "40 installations reported" in html.text
    assert not any("set-cookie" in one.headers for one in (feed, html, badge))
    assert f"{page.day},platform,Linux,25,40,10" in rows
    assert "<title>on 3.0: 100 %</title>" in badge.text
    assert len(badge.content) < 2000
    assert "Darwin" not in html.text + feed.text


def test_unknown_and_switched_off_pages_are_not_there(client, page):
    page.post("/fleet/public/publish", {}, status=200)
    page.patch("/fleet/settings", {"public": {"enabled": False}})

    for name in (f"{page.slug}.json", page.slug, f"{page.slug}/badge/newest.svg", "nobody"):
        assert client.get(f"/fleet/{name}").status_code == 404


def test_members_see_what_the_next_page_would_hide(page):
    told = page.get("/fleet/public")

    assert told["last"] is None
    assert "platform" in told["replaced"]
    assert told["reasons"]["platform"] == "2 cells hidden"
