"""The project guard: no statement reads a table without saying whose rows it wants."""

import json

import pytest
from sqlglot import exp

from hedgerow.insights.answer import INSIGHTS
from hedgerow.model import tables
from hedgerow.model.people import GroupType
from hedgerow.model.projects import QueryContext
from hedgerow.query.definitions import decode
from tests.hedgerow.contract_cases import CONTRACT
from tests.world import NOW, a_project

OURS = {table.name for table in tables.ALL}


def cases():
    content = json.loads((CONTRACT / "trends.json").read_text(encoding="utf-8"))
    kept = [case for case in content["cases"] if "cohorts" not in case]
    return [pytest.param(case["query"], id=case["name"]) for case in kept]


@pytest.mark.parametrize("query", cases())
def test_every_table_of_every_statement_is_bound_to_the_project(query):
    project = a_project()
    types = tuple(GroupType(name=f"type {index}", index=index) for index in range(5))
    context = QueryContext(project=project, now=NOW, group_types=types)
    asked = decode(query)

    for statement in INSIGHTS[type(asked)].statements(asked, context):
        guards = {
            equal.this.table
            for equal in statement.tree.find_all(exp.EQ)
            if isinstance(equal.this, exp.Column)
            and equal.this.name == "project_id"
            and isinstance(equal.expression, exp.Placeholder)
            and statement.values[equal.expression.name] == project.id
        }
        read = [one for one in statement.tree.find_all(exp.Table) if one.name in OURS]
        assert read
        assert {one.alias for one in read} <= guards
