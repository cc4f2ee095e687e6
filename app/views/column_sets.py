"""Column sets: which columns an export has, in which order and under which names.

A set belongs to who made it. A shared one can be used by everybody and changed only by
its owner; others make a copy.
"""

from http import HTTPStatus
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from sqlalchemy import or_, select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from app.errors import InvalidInput, NotFound, TimeTrackerError, said
from app.exports import columns
from app.exports.columns import Column
from app.languages import gettext as _
from app.models.people import User
from app.models.saved import ColumnSet
from app.views import context, forms
from app.views.context import commit, db
from app.views.report_words import dataset_name

blueprint = Blueprint("column_sets", __name__, url_prefix="/export/columns")

LONGEST_NAME = 100
CHOOSABLE = ("entries", "billable", "clients", "projects", "tasks", "users", "audit")
"""Datasets whose columns can be chosen; those of the others depend on the answer."""


def offered(person: User, dataset: str) -> list[ColumnSet]:
    """Return the sets this person may use for a dataset: own ones first."""
    query = select(ColumnSet).where(
        ColumnSet.dataset == dataset, or_(ColumnSet.user_id == person.id, ColumnSet.shared)
    )
    found = db().scalars(query.order_by(ColumnSet.name, ColumnSet.id))
    return sorted(found, key=lambda known: known.user_id != person.id)


def find(session: Session, person: User, dataset: str, number: str) -> ColumnSet:
    """Return a set this person may use."""
    known = session.get(ColumnSet, int(number)) if number.isdecimal() else None
    if (
        known is None
        or known.dataset != dataset
        or not (known.shared or known.user_id == person.id)
    ):
        raise NotFound(
            said(
                "There is no column set %(number)r for %(dataset)s.",
                number=number[:20],
                dataset=dataset,
            ),
            hint="It may have been deleted, or is no longer shared.",
        )
    return known


def _own(number: int) -> ColumnSet:
    known = db().get(ColumnSet, number)
    if known is None or known.user_id != context.user().id:
        raise NotFound(
            said("You have no column set number %(number)s.", number=number),
            hint="Copy the shared one.",
        )
    return known


@blueprint.get("")
def index() -> str:
    """List own and shared sets."""
    person = context.user()
    query = select(ColumnSet).where(or_(ColumnSet.user_id == person.id, ColumnSet.shared))
    listed = list(db().scalars(query.order_by(ColumnSet.dataset, ColumnSet.name)))
    offers = [(name, dataset_name(name)) for name in CHOOSABLE]
    return render_template("column_sets.html", listed=listed, datasets=offers)


@blueprint.get("/new")
@blueprint.get("/<int:number>")
def edit(number: int = 0) -> str:
    """Show the form of a set; a shared one of somebody else becomes a copy."""
    person = context.user()
    known = None
    dataset = request.args.get("dataset", "entries")
    if number:
        known = db().get(ColumnSet, number)
        if known is None or not (known.shared or known.user_id == person.id):
            raise NotFound(said("There is no column set number %(number)s.", number=number))
        dataset = known.dataset
    return _form(dataset, known)


def _form(
    dataset: str, known: ColumnSet | None, error: TimeTrackerError | None = None
) -> str:
    is_own = known is not None and known.user_id == context.user().id
    name = known.name if known else ""
    return render_template(
        "column_set_form.html",
        dataset=dataset,
        number=known.id if known and is_own else 0,
        name=name if is_own or not known else _("Copy of %(name)s", name=name),
        shared=is_own and known is not None and known.shared,
        rows=_rows(dataset, known.columns if known else []),
        error=error,
    )


def _rows(dataset: str, listed: list[Any]) -> list[tuple[Column, bool, str]]:
    """Return every column: the chosen ones first, in their order, with their titles."""
    by_key = {column.key: column for column in columns.known(dataset)}
    titles = {c["key"]: str(c.get("title") or "") for c in listed if c.get("key") in by_key}
    rest = [key for key in by_key if key not in titles]
    chosen = [(by_key[key], True, title) for key, title in titles.items()]
    return chosen + [(by_key[key], not listed, "") for key in rest]


@blueprint.post("/save")
def save() -> Response | tuple[str, int]:
    """Keep a set: the ticked columns by their number, with their titles."""
    person = context.user()
    context.refuse_when_read_only()
    number, dataset = forms.number_or_none("number") or 0, forms.text("dataset")
    known = _own(number) if number else None
    try:
        name = _name()
        listed = _listed(dataset)
        columns.chosen(dataset, listed, money=True)
    except InvalidInput as error:
        db().rollback()
        return _form(dataset, known, error), HTTPStatus.UNPROCESSABLE_ENTITY
    if known is None:
        known = ColumnSet(user_id=person.id, dataset=dataset, options={})
        db().add(known)
    known.name, known.columns, known.shared = name, listed, forms.ticked("shared")
    commit()
    context.say(_("Column set saved"))
    return redirect(url_for("column_sets.index"), code=HTTPStatus.SEE_OTHER)


def _name() -> str:
    name = forms.text("name")
    if not 1 <= len(name) <= LONGEST_NAME:
        raise InvalidInput(
            "A column set needs a name.",
            hint=said(
                "Give it one of at most %(longest_name)s characters.",
                longest_name=LONGEST_NAME,
            ),
            attr="name",
        )
    return name


def _listed(dataset: str) -> list[dict[str, str]]:
    """Return the ticked columns in the order their numbers ask for."""
    ticked = request.form.getlist("key")
    places = {
        column.key: (forms.number_or_none(f"place_{column.key}") or 0, n)
        for n, column in enumerate(columns.known(dataset))
    }
    in_order = sorted((key for key in ticked if key in places), key=lambda key: places[key])
    return [{"key": key, "title": forms.text(f"title_{key}")} for key in in_order]


@blueprint.post("/<int:number>/delete")
def delete(number: int) -> Response:
    """Delete an own set; the columns of exports made with it stay what they were."""
    context.refuse_when_read_only()
    known = _own(number)
    db().delete(known)
    commit()
    context.say(_("Column set deleted"))
    return redirect(url_for("column_sets.index"), code=HTTPStatus.SEE_OTHER)
