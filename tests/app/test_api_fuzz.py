"""The API holds to its own OpenAPI document, whatever a program sends."""

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import checks, openapi

from app.api.routes import ENDPOINTS

from .api_client import PREFIX, installation, program_of

PROMISES = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
]

EXAMPLES = 2
"""Of each route: a few in every run of the suite; more by hand."""


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    """The document, read from the application it is about."""
    app = installation(tmp_path_factory.mktemp("fuzz"), rate=1_000_000)
    program = program_of(app)
    project = program.made("/projects", {"name": "Site"})
    program.made(
        "/entries", {"date": "2025-10-20", "seconds": 60, "project": project["id"]}
    )
    schema = openapi.from_wsgi(f"{PREFIX}/openapi.json", app)
    schema.sent = {"Authorization": f"Bearer {program.token}"}
    yield schema
    app.extensions["database"].close()


SETTINGS = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.parametrize("one", [pytest.param(e, id=e.name) for e in ENDPOINTS])
def test_what_is_answered_is_what_the_document_says(api, one):
    operation = api[PREFIX + one.path][one.method]

    @SETTINGS
    @given(case=operation.as_strategy())
    def asked(case):
        case.call_and_validate(headers=api.sent, checks=PROMISES)

    asked()
