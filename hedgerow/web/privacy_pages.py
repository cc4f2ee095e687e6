"""Settings of privacy: what is never kept, what is only disguised, how long events stay.

Rules hold from now on; what came before stays as it is, and the page says so. The length
of keeping shows how many events it would take before anybody saves it.
"""

from typing import Any

from starlette.responses import Response

from hedgerow.errors import HedgerowError, InvalidInput
from hedgerow.meta import audit, projects
from hedgerow.meta.projects import PrivacyAction, PrivacyRule, ProjectFields
from hedgerow.web.charts import words
from hedgerow.web.settings_pages import render
from hedgerow.web.visits import Visit

ACTIONS: tuple[tuple[PrivacyAction, str, str], ...] = (
    ("drop", "Drop it", "is dropped"),
    ("hash", "Keep a hash of it", "is kept as a hash"),
    ("shorten", "Keep its beginning", "keeps its beginning"),
)
"""Value, what the form says, what the list says."""


def page(visit: Visit) -> Response:
    """GET …/settings/privacy"""
    return _page(visit)


def _page(visit: Visit, error: HedgerowError | None = None) -> Response:
    said = {value: text for value, _, text in ACTIONS}
    rules = [
        (
            one["property"],
            said.get(one["action"], one["action"]),
            one.get("length", 1) if one["action"] == "shorten" else None,
        )
        for one in visit.here.privacy_rules
    ]
    return render(
        visit,
        "privacy",
        "settings_privacy.html",
        error=error,
        rules=rules,
        actions=ACTIONS,
    )


def change(visit: Visit) -> Response:
    """POST …/settings/privacy — a rule more or less, addresses, how long events stay."""
    try:
        fields = _wanted(visit)
        with visit.services.metadata.writing() as session:
            before = projects.plain(projects.by_id(session, visit.here.id))
            row = projects.change(session, visit.here.id, ProjectFields(**fields))
            audit.note(
                session,
                audit.actor(visit.who, visit.now),
                "changed",
                ("project", row.id),
                project_id=row.id,
                before={name: getattr(before, name) for name in fields},
                after={name: getattr(row, name) for name in fields},
            )
    except HedgerowError as error:
        return _page(visit, error)
    visit.services.directory.refresh()
    return visit.go(visit.path("settings/privacy"), notice="Saved")


def _wanted(visit: Visit) -> dict[str, Any]:
    match visit.text("do"):
        case "add":
            return {"privacy_rules": [*_kept(visit), _rule(visit)]}
        case "drop":
            name = visit.text("property")
            kept = [rule for rule in _kept(visit) if rule.property != name]
            return {"privacy_rules": kept}
        case "addresses":
            return {"anonymize_ips": bool(visit.text("anonymize_ips"))}
        case "keep":
            return {"retention_days": days(visit)}
        case other:
            raise InvalidInput(
                f"There is nothing called {other!r} to do here.", hint="Reload the page."
            )


def _kept(visit: Visit) -> list[PrivacyRule]:
    return [PrivacyRule(**one) for one in visit.here.privacy_rules]


def _rule(visit: Visit) -> PrivacyRule:
    action = next((value for value, _, _ in ACTIONS if value == visit.text("action")), None)
    if action is None:
        raise InvalidInput(
            f"A property cannot be {visit.text('action')!r}.",
            hint="Choose one of the list.",
            attr="action",
        )
    length = visit.text("length")
    if action != "shorten" or not length:
        return PrivacyRule(property=visit.text("property"), action=action)
    if not length.isdecimal():
        raise InvalidInput(
            f"{length!r} is no number of characters.",
            hint="Give a number of at least 1.",
            attr="length",
        )
    return PrivacyRule(property=visit.text("property"), action=action, length=int(length))


def days(visit: Visit) -> int | None:
    """Return how many days events shall stay; None: for ever. Raises InvalidInput."""
    typed = visit.text("retention_days")
    if not typed:
        return None
    if not typed.isdecimal() or not 1 <= int(typed) <= 36_500:
        raise InvalidInput(
            f"{typed!r} is no number of days.",
            hint="Give 1 to 36500 days, or nothing to keep events for ever.",
            attr="retention_days",
        )
    return int(typed)


def preview(visit: Visit) -> Response:
    """GET …/settings/privacy/preview — how many events a length of keeping would take."""
    try:
        wanted, error = days(visit), None
    except InvalidInput as refused:
        return visit.render("_retention_preview.html", error=refused, wanted=None)
    gone = _counted(visit, f"-{wanted + 1}d") if wanted is not None else 0
    return visit.render(
        "_retention_preview.html",
        error=error,
        wanted=wanted,
        gone=words.exact(gone),
        nothing=gone == 0,
        of=words.exact(_counted(visit, None)),
    )


def _counted(visit: Visit, until: str | None) -> float:
    """Return how many events there are up to a day."""
    answer = visit.ask(
        {
            "kind": "TrendsQuery",
            "series": [{"kind": "EventsNode", "event": None}],
            "dateRange": {"date_from": "all", "date_to": until},
            "trendsFilter": {"display": "BoldNumber"},
        }
    )
    return float(answer["results"][0]["aggregated_value"])
