"""Every route of the API: who may, what is refused, what the document says."""

import msgspec
import pytest
from openapi_spec_validator import validate
from starlette.testclient import TestClient

from hedgerow.api.questions import Questions
from hedgerow.api.routes import ENDPOINTS
from hedgerow.api.schema import document
from hedgerow.meta.access import SCOPES
from hedgerow.meta.accounts import ROLES, reaches
from hedgerow.serve.running import application
from tests.hedgerow.people import a_key

INSIDE = [one for one in ENDPOINTS if "{project_id}" in one.path]
EVERY = pytest.mark.parametrize(
    "one", INSIDE, ids=[f"{one.method} {one.path[26:] or '/'}" for one in INSIDE]
)
NEEDED = {"read": "viewer", "write": "editor", "admin": "admin"}


def address(one, project_id):
    path = one.path.replace("{project_id}", str(project_id))
    return "/".join("999999" if part.startswith("{") else part for part in path.split("/"))


def ask(client, one, project_id, header):
    return client.request(one.method, address(one, project_id), headers=header, json={})


@EVERY
def test_a_route_asks_for_a_key(client, api, one):
    answer = ask(client, one, api.id, {})

    assert answer.status_code == 401
    assert answer.json()["type"] == "authentication_error"


@EVERY
def test_a_route_asks_for_its_scope(client, house, api, one):
    other = "annotation:read" if one.scope == "subscription:read" else "subscription:read"
    key = a_key(house, "admin@example.org", scopes=[other])

    answer = ask(client, one, api.id, key.header)

    assert answer.status_code == 403
    assert one.scope in answer.json()["detail"]


@EVERY
@pytest.mark.parametrize("role", ROLES)
def test_a_route_asks_for_its_role(client, house, api, one, role):
    key = a_key(house, f"one-{role}@example.org", roles={api.id: role})
    needed = one.role or NEEDED[one.scope.partition(":")[2]]

    answer = ask(client, one, api.id, key.header)

    assert (answer.status_code == 403) == (not reaches(role, needed)), answer.text


@EVERY
def test_a_route_is_closed_to_those_outside(client, house, api, one):
    key = a_key(house, "stranger@example.org")

    assert ask(client, one, api.id, key.header).status_code == 403


@EVERY
def test_a_route_keeps_to_the_projects_of_its_key(client, house, api, one):
    key = a_key(house, "admin@example.org", projects=[api.id + 1])

    assert ask(client, one, api.id, key.header).status_code == 403


def test_every_scope_of_the_table_can_be_given():
    assert {one.scope for one in ENDPOINTS if one.scope} <= SCOPES


def test_the_document_is_valid_and_holds_every_route():
    described = msgspec.json.decode(msgspec.json.encode(document(ENDPOINTS, "1")))
    validate(described)

    for one in ENDPOINTS:
        operation = described["paths"][one.path][one.method.lower()]
        assert operation["summary"]
    assert sum(len(methods) for methods in described["paths"].values()) == len(ENDPOINTS)


def test_the_document_is_served_without_a_key(client):
    assert client.get("/api/schema").json()["openapi"] == "3.1.0"


@pytest.mark.parametrize("path", ["/api/projects", "/api/projects/", "/api/environments/"])
def test_a_slash_at_the_end_is_accepted_and_not_required(client, admin, path):
    assert client.get(path, headers=admin.header).status_code == 200


def test_at_current_is_the_only_project_of_a_key(client, house, api, admin):
    key = a_key(house, "admin@example.org", projects=[api.id])

    found = client.get("/api/projects/@current", headers=key.header)

    assert found.json()["id"] == api.id
    several = client.get("/api/projects/@current/insights", headers=admin.header)
    assert several.status_code in {200, 400}


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        pytest.param("GET", "/api/nothing", 404, "not_found", id="no such address"),
        pytest.param(
            "PUT", "/api/projects", 405, "method_not_allowed", id="no such method"
        ),
        pytest.param("GET", "/api/projects/0", 404, "not_found", id="no such project"),
        pytest.param("GET", "/api/projects/x", 404, "not_found", id="no number"),
        pytest.param(
            "POST", "/api/projects", 400, "invalid_input", id="nothing where a name is"
        ),
        pytest.param(
            "GET", "/api/projects?limit=9999", 400, "invalid_input", id="too large a page"
        ),
        pytest.param(
            "GET", "/api/projects?colour=1", 400, "invalid_input", id="unknown parameter"
        ),
    ],
)
def test_a_refusal_has_the_one_shape(client, admin, method, path, status, code):
    answer = client.request(method, path, headers=admin.header)

    assert answer.status_code == status
    said = answer.json()
    assert said["code"] == code
    assert set(said) == {"type", "code", "detail", "attr"}


NUMBERED = sorted({one.path for one in INSIDE if one.path.endswith("_id}")})


@pytest.mark.parametrize("path", NUMBERED, ids=[path[26:] for path in NUMBERED])
def test_an_address_without_its_object_is_not_there(client, api, path):
    start, _, _ = path.replace("{project_id}", str(api.id)).rpartition("/")
    method = next(one.method for one in INSIDE if one.path == path)

    answer = client.request(method, f"{start}/none", headers=api.key.header)

    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"


def test_a_refusal_carries_the_header_of_its_status(client, admin):
    unknown = client.get("/api/projects")
    wrong = client.put("/api/projects", headers=admin.header)

    assert unknown.headers["www-authenticate"] == "Bearer"
    assert wrong.headers["allow"] == "GET, POST"


def test_the_next_page_is_where_people_find_the_server(house, admin, monkeypatch):
    for _ in range(2):
        TestClient(application(house, Questions(1, house.clock))).post(
            "/api/projects", headers=admin.header, json={"name": "One more"}
        )
    outside = msgspec.structs.replace(house.settings, public_url="https://stats.example/")
    monkeypatch.setattr(house, "settings", outside)
    behind = TestClient(application(house, Questions(1, house.clock)))

    page = behind.get("/api/environments/?limit=1", headers=admin.header).json()

    assert page["next"] == "https://stats.example/api/environments/?limit=1&offset=1"


@pytest.mark.parametrize("token", ["", "phc_x", "phx_unknown", "Basic"])
def test_a_key_that_is_none_is_refused_with_what_to_do(client, token):
    answer = client.get("/api/users/@me", headers={"Authorization": f"Bearer {token}"})

    assert answer.status_code == 401
    assert "phx_" in answer.json()["detail"] or "Settings" in answer.json()["detail"]


def test_a_body_that_is_too_large_is_refused_before_it_is_read(client, api):
    raw = b" " * (1024 * 1024 + 1)

    said = api.call("POST", "/persons/import", status=413, content=raw)

    assert said["code"] == "body_too_large"


def test_a_page_names_its_neighbours(client, api):
    for number in range(3):
        api.post(
            "/annotations", {"content": str(number), "date_marker": "2026-01-01T00:00:00Z"}
        )

    first = api.get("/annotations?limit=2")
    second = client.get(first["next"], headers=api.key.header).json()

    assert (first["count"], first["previous"], second["next"]) == (3, None, None)
    shown = [one["content"] for one in first["results"] + second["results"]]
    assert sorted(shown) == ["0", "1", "2"]
