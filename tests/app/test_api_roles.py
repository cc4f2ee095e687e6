"""Every route of the API for every role and every scope, and the document about them."""

import re

import pytest
from openapi_spec_validator import validate

from app.api import idents
from app.api.routes import ENDPOINTS
from app.people.roles import LEAST, rank
from app.people.tokens import SCOPES

from .api_client import PREFIX, installation, person, program_of

ROLES = ("viewer", "user", "manager", "admin")
TESTED = [pytest.param(one, id=f"{one.method} {one.path}") for one in ENDPOINTS]


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    """A program for each role, with all scopes that role can have."""
    app = installation(tmp_path_factory.mktemp("roles"), rate=10_000)
    for role in ROLES:
        person(app, f"a-{role}", role)
    yield {role: program_of(app, f"a-{role}") for role in ROLES}
    app.extensions["database"].close()


def asked(program, one):
    """Ask a route for something that is not there, with a body that may be refused."""
    path = re.sub(
        r"\{(\w+)\}",
        lambda found: idents.word(found[1], 2**40) if found[1] in idents.PREFIXES else "x",
        one.path,
    )
    body = {} if one.method in {"POST", "PATCH"} else None
    return program.call(one.method, path, body).status_code


@pytest.mark.parametrize("one", TESTED)
def test_a_role_reaches_as_far_as_the_table_says(programs, one):
    for role, program in programs.items():
        allowed = one.act is None or rank(role) >= rank(LEAST[one.act])
        if one.scope == "admin" and role != "admin":
            allowed = False

        assert (asked(program, one) != 403) == allowed, role


@pytest.mark.parametrize("scope", SCOPES)
def test_a_route_is_closed_to_tokens_without_its_scope(programs, scope):
    others = [other for other in SCOPES if other != scope]
    program = program_of(programs["admin"].app, "a-admin", others)
    needing = [one for one in ENDPOINTS if one.scope == scope]

    assert {asked(program, one) for one in needing} == {403}


def test_every_route_is_in_a_document_that_is_valid(programs):
    document = programs["viewer"].get("/openapi.json").json
    described = {
        (method.upper(), path) for path, one in document["paths"].items() for method in one
    }

    validate(document)
    assert described == {(one.method, PREFIX + one.path) for one in ENDPOINTS}


def test_the_page_to_read_has_every_route_and_every_object(programs):
    document = programs["viewer"].get("/openapi.json").json
    page = programs["viewer"].get("/reference").text

    for one in ENDPOINTS:
        assert f'id="{one.name}"' in page
    for name in document["components"]["schemas"]:
        assert f'id="s-{name}"' in page


def test_names_of_handlers_are_the_names_of_routes():
    names = [one.name for one in ENDPOINTS]

    assert len(set(names)) == len(names)
