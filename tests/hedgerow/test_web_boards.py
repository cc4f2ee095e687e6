"""Dashboards that people change, copy, take along and share."""

import io
import json
import re

import pypdf
import pytest

from hedgerow.meta import boards, credentials, installing
from hedgerow.web.visits import GUEST
from tests.hedgerow.visiting import Server

pytestmark = pytest.mark.slow  # a whole server, though without a socket


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    made = Server(tmp_path_factory.mktemp("boards"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def project(server):
    return server.project()


@pytest.fixture(scope="module")
def editor(server, project):
    return server.signed_in(server.user("editor@example.org", project, "editor"))


@pytest.fixture
def board(server, project):
    with server.house.metadata.writing() as session:
        template = installing.template("user-engagement")
        return installing.install(session, project.id, template, now=server.now())


def place(board, rest=""):
    return f"/p/{board.project_id}/dashboards/{board.id}{rest}"


def tiles(server, board):
    with server.house.metadata.reading() as session:
        return [tile for tile, _ in boards.tiles(session, board.id)]


def test_a_dashboard_taken_along_as_a_file_is_the_same_elsewhere(server, editor, board):
    saved = editor.get(place(board, "/export"))

    reply = editor.post(
        f"/p/{board.project_id}/dashboards/import",
        files={"file": ("board.json", saved.content, "application/json")},
    )
    again = editor.get(f"{reply.headers['location']}/export")

    assert reply.status_code == 303
    assert json.loads(again.content) == json.loads(saved.content)


def test_a_file_that_is_no_dashboard_is_refused_by_its_name(editor, project):
    reply = editor.post(
        f"/p/{project.id}/dashboards/import",
        files={"file": ("holiday.json", b"{}", "application/json")},
    )

    assert reply.status_code == 400
    assert "holiday.json" in reply.text


def test_what_a_drag_leaves_is_kept_without_holes(server, editor, board):
    order = [[tile.id, 4, 5] for tile in reversed(tiles(server, board))]

    reply = editor.post(place(board, "/layout"), data={"tiles": json.dumps(order)})

    assert reply.status_code == 204
    kept = tiles(server, board)
    assert [tile.id for tile in kept] == [number for number, _, _ in order]
    assert [(tile.layout["x"], tile.layout["y"]) for tile in kept] == [
        (0, 0),
        (4, 0),
        (8, 0),
        (0, 5),
        (4, 5),
    ]


def test_a_button_sizes_a_tile_without_a_mouse(server, editor, board):
    first = tiles(server, board)[0]

    editor.post(place(board, f"/tiles/{first.id}/act"), data={"act": "narrower"})

    assert tiles(server, board)[0].layout["w"] == first.layout["w"] - 1


def undo_of(reply):
    """The address behind "Undo" in what the next page tells."""
    told = reply.cookies["notice"].strip('"').replace("%7C", "|").replace("%2F", "/")
    return told.partition("|")[2]


def test_a_deleted_dashboard_is_gone_and_comes_back_by_undo(editor, board):
    reply = editor.post(place(board, "/delete"))
    gone = editor.get(place(board)).status_code

    editor.post(undo_of(reply))

    assert gone == 404
    assert editor.get(place(board)).status_code == 200


def test_a_text_says_what_was_typed_and_no_more(editor, board):
    editor.post(place(board, "/tiles"), data={"text": "**Hi** <script>alert(1)</script>"})

    text = editor.get(place(board)).text

    assert "<b>Hi</b> &lt;script&gt;" in text
    assert "<script>alert" not in text


def shared(editor, board, **options):
    made = editor.post(
        place(board, "/shares"), data=options, headers={"HX-Request": "true"}
    )
    return re.search(r"/shared/\w+", made.text)[0]


def test_a_shared_dashboard_leads_nowhere_further(server, editor, board):
    link = shared(editor, board)

    text = server.browser().get(link).text
    tile = server.browser().get(re.search(r'hx-get="([^"]+)"', text)[1]).text

    assert "User Engagement" in text
    assert "/p/" not in text + tile
    assert "data-query" not in tile


def test_a_shared_dashboard_may_want_a_password(server, editor, board):
    link = shared(editor, board, password="hedges and rows")
    stranger = server.browser()
    asked = stranger.get(link).text
    tile_before = stranger.get(f"{link}/tiles/{tiles(server, board)[0].id}").status_code
    csrf = credentials.digest(f"form of {stranger.cookies[GUEST]}")

    wrong = stranger.post(link, data={"csrf": csrf, "password": "hedge"})
    right = stranger.post(link, data={"csrf": csrf, "password": "hedges and rows"})

    assert "wants a password" in asked
    assert (tile_before, wrong.status_code, right.status_code) == (404, 401, 303)
    assert "User Engagement" in stranger.get(link).text


def test_a_dashboard_of_another_project_cannot_be_reached_through_ones_own(
    server, editor, board
):
    other = server.project("Another")
    stranger = server.signed_in(server.user("stranger@example.org", other, "owner"))

    reply = stranger.get(f"/p/{other.id}/dashboards/{board.id}")

    assert reply.status_code == 404


def words_of(reply):
    assert reply.headers["content-type"] == "application/pdf"
    pages = pypdf.PdfReader(io.BytesIO(reply.content)).pages
    return " ".join(" ".join(page.extract_text().split()) for page in pages)


def test_a_dashboard_is_a_pdf_of_every_figure_and_text(server, project, editor, board):
    server.captured(project, *[("timer.started", f"p{i}", {}) for i in range(3)])
    editor.post(place(board, "/tiles"), data={"text": "## Read **this** first"})
    with server.house.metadata.reading() as session:
        titles = [one.name for _, one in boards.tiles(session, board.id) if one]

    text = words_of(editor.get(place(board, "/pdf?from=-7d")))

    assert "Last 7 days" in text
    assert "Read this first" in text
    assert [title for title in titles if title not in text] == []


def test_a_figure_that_cannot_be_had_says_so_on_paper(server, project, editor):
    with server.house.metadata.writing() as session:
        board = boards.create_dashboard(session, project.id, "Ключи", now=server.now())
        wrong = {"kind": "TrendsQuery", "series": [{"event": "a", "math": "sum"}]}
        insight = boards.create_insight(
            session, project.id, wrong, now=server.now(), name="No property"
        )
        boards.add_tile(session, board.id, insight_id=insight.id)

    text = words_of(editor.get(place(board, "/pdf")))

    assert "Ключи" in text
    assert "No property" in text
    assert "math_property" in text


def test_dashboards_are_found_by_tag_and_by_what_a_tag_holds(server, editor, board):
    there, elsewhere = f"{place(board)}", f"/p/{board.project_id}/dashboards"
    editor.post(there, data={"name": "Weekly review", "tags": "growth & more, team"})

    by_tag = editor.get(f"{elsewhere}?tag=growth+%26+more").text
    by_word = editor.get(f"{elsewhere}?search=GROWTH").text
    none = editor.get(f"{elsewhere}?search=Weekly&tag=other").text

    assert f'href="{there}"' in by_tag
    assert f'href="{there}"' in by_word
    assert f'href="{there}"' not in none
    assert "Try another word or tag" in none
