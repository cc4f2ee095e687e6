"""The price of one entry, for whoever manages rates: an amount over every rate."""

from dataclasses import replace
from decimal import Decimal

from babel.numbers import get_currency_precision
from flask import request

from app.models.entries import TimeEntry
from app.people import roles
from app.tracking.timers import About
from app.views import context, forms
from app.views.context import db, settings
from app.work import rates
from app.work.rates import Subject


def may_set() -> bool:
    """Return whether this person may give an entry a price of its own."""
    return roles.may(context.user(), "rates.manage", settings())


def currency(entry: TimeEntry) -> str:
    """Return the currency of its price: that of the rate it has or would have."""
    subject = Subject(
        user_id=entry.user_id,
        project_id=entry.project_id,
        task_id=entry.task_id,
        client_id=entry.project.client_id if entry.project else None,
    )
    general = settings().currency
    price = rates.every(db(), general).on(subject, entry.local_date)
    return price.currency if price else general


def shown(entry: TimeEntry) -> dict[str, str]:
    """Return field and unit of the form; empty where the rates decide."""
    code = currency(entry)
    amount = ""
    if entry.rate_override is not None:
        digits = get_currency_precision(code)
        amount = f"{Decimal(entry.rate_override).scaleb(-digits):.{digits}f}"
    return {"rate": amount, "rate_currency": code}


def put(about: About, entry: TimeEntry) -> About:
    """Return what the form says, with the price where it was asked for."""
    if "rate" not in request.form or not may_set():
        return about
    if not forms.text("rate"):
        return replace(about, sets_rate=True)
    return replace(about, sets_rate=True, rate_override=forms.rate("rate", currency(entry)))
