"""Rates: ``/rates``. Amounts are whole minor units an hour: 9500 EUR is 95.00 €."""

from typing import Any

from sqlalchemy import select

from app.api import kinds
from app.api.call import Answer, Call
from app.api.idents import word, word_or_none
from app.api.paging import PAGE, SINCE, Order, listed
from app.api.shapes import Field, Shape, given, may, need, nested
from app.api.shown import iso
from app.audit import Object
from app.errors import NotFound
from app.models.work import Rate
from app.tracking.days import day_of, zone
from app.work import moving, rates
from app.work.rates import NewRate

_OF = {
    "client": "client_id",
    "project": "project_id",
    "task": "task_id",
    "user": "user_id",
}
RATE = Shape(
    "Rate",
    {
        "id": given(kinds.ident("rate")),
        "scope": given(kinds.one_of(*rates.SCOPES)),
        **{name: given(kinds.ident(name), null=True) for name in _OF},
        "amount": given(kinds.whole(), "Minor units an hour."),
        "currency": given(kinds.text(3)),
        "valid_from": given(kinds.day),
        "created_at": given(kinds.instant),
        "updated_at": given(kinds.instant),
    },
)
_DIFFERENCE = Shape(
    "Difference",
    {
        "currency": given(kinds.text(3)),
        "amount": given(kinds.whole(-kinds.BIGGEST), "Minor units more or, below 0, less."),
    },
)
_MOVED = Shape(
    "RateMoved",
    {
        "entries": given(kinds.whole()),
        "amounts": given(kinds.list_of(nested(_DIFFERENCE), 1000), "By exact times."),
    },
)
RATE_MADE = Shape(
    "RateMade",
    {**RATE.fields, "moved": given(nested(_MOVED), "What it changed before today.")},
)
_CURRENCY = may(kinds.text(3, least=3), "ISO 4217; the installation's unless given.")
RATE_NEW = Shape(
    "RateNew",
    {
        "scope": need(kinds.one_of(*rates.SCOPES)),
        **{name: may(kinds.ident(name), null=True) for name in _OF},
        "amount": need(kinds.whole()),
        "currency": _CURRENCY,
        "valid_from": need(kinds.day),
    },
)
RATE_CHANGE = Shape(
    "RateChange",
    {
        "amount": may(kinds.whole()),
        "currency": _CURRENCY,
        "valid_from": may(kinds.day),
    },
)
LISTED: dict[str, Field] = {**PAGE, **SINCE}


def _shown(rate: Rate) -> dict[str, Any]:
    return {
        "id": word("rate", rate.id),
        "scope": rate.scope,
        **{name: word_or_none(name, getattr(rate, field)) for name, field in _OF.items()},
        "amount": rate.amount,
        "currency": rate.currency,
        "valid_from": rate.valid_from.isoformat(),
        "created_at": iso(rate.created_at),
        "updated_at": iso(rate.updated_at),
    }


def _answer(call: Call, rate: Rate) -> Answer:
    call.session.flush()
    call.session.refresh(rate)
    return Answer(body=_shown(rate))


def _found(call: Call) -> Rate:
    rate = call.session.get(Rate, call.path["rate"])
    if rate is None:
        raise NotFound("There is no such rate.")
    return rate


def _note(call: Call, act: str, rate: Rate, before: str | None, after: str | None) -> None:
    target = Object(type="rate", id=rate.id, label=rate.scope)
    call.note(f"rate.{act}", target, {"amount": (before, after)})


def _said(rate: Rate) -> str:
    return f"{rate.amount} {rate.currency} from {rate.valid_from}"


def list_rates(call: Call) -> Answer:
    """List rates, old ones too."""
    query = select(Rate)
    if "updated_since" in call.query:
        query = query.where(Rate.updated_at >= call.query["updated_since"])
    return listed(call, query, Order((Rate.id,)), _shown)


def read_rate(call: Call) -> Answer:
    """Return one rate."""
    return Answer(body=_shown(_found(call)))


def create_rate(call: Call) -> Answer:
    """Add a rate; an earlier one of the same scope ends the day before.

    `moved` says what a first day in the past changed; deleting the rate takes it back.
    """
    body = call.body
    new = NewRate(
        scope=body["scope"],
        amount=body["amount"],
        currency=body.get("currency", call.settings.currency).upper(),
        valid_from=body["valid_from"],
        **{field: body.get(name) for name, field in _OF.items()},
    )
    today = day_of(call.now, zone(call.user.timezone))
    moved = moving.by(call.session, new, call.settings.currency, today)
    rate = rates.add(call.session, new)
    _note(call, "created", rate, None, _said(rate))
    made = _answer(call, rate)
    amounts = [
        {"currency": code, "amount": amount}
        for code, amount in sorted(moved.money.items())
        if amount
    ]
    return Answer(
        body={**made.body, "moved": {"entries": moved.entries, "amounts": amounts}}
    )


def change_rate(call: Call) -> Answer:
    """Change amount, currency or first day of a rate: it moves what was earned."""
    rate = _found(call)
    before = _said(rate)
    rates.change(
        call.session,
        rate,
        amount=call.body.get("amount", rate.amount),
        currency=call.body.get("currency", rate.currency).upper(),
        valid_from=call.body.get("valid_from", rate.valid_from),
    )
    _note(call, "updated", rate, before, _said(rate))
    return _answer(call, rate)


def delete_rate(call: Call) -> Answer:
    """Remove a rate: what it priced is priced by the one before."""
    rate = _found(call)
    _note(call, "deleted", rate, _said(rate), None)
    call.session.delete(rate)
    return Answer()
