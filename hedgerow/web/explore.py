"""The insight editor: ask, look, change, keep.

The question is in the address (``?q=``) and nowhere else: reload, back and a pasted link
give the same screen. Each change of the form goes to ``edit``, which answers with the form
of the new question and its address; the answer then fetches itself, and the earlier one
stays until it is there. Whoever asks again before an answer is there ends the older
question, in the engine too.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec
from starlette.responses import Response

from hedgerow.errors import HedgerowError, InvalidInput
from hedgerow.meta import audit, boards
from hedgerow.meta.tables import Insight
from hedgerow.web import drawing, editing, editing_lists, files, ranges
from hedgerow.web.charts import choose, sentences
from hedgerow.web.editing_kinds import KINDS
from hedgerow.web.editor_choices import choices
from hedgerow.web.ranges import Range
from hedgerow.web.visits import Visit

TABS = (
    ("trends", "trends", "Trends"),
    ("funnel", "funnel", "Funnel"),
    ("retention", "retention", "Retention"),
    ("paths", "paths", "Paths"),
    ("stickiness", "stickiness", "Stickiness"),
    ("lifecycle", "lifecycle", "Lifecycle"),
    ("sql", "sql", "SQL"),
)


def listing(visit: Visit) -> Response:
    """GET …/insights — what was saved."""
    search = visit.text("search")
    offset = int(visit.text("offset", "0")) if visit.text("offset", "0").isdecimal() else 0
    with visit.services.metadata.reading() as session:
        rows, total = boards.insights(
            session, visit.here.id, search=search, limit=100, offset=offset
        )
        used = {row.id: len(boards.dashboards_of(session, row.id)) for row in rows}
    kinds = {row.id: _symbol(row.query) for row in rows}
    return visit.render(
        "insights.html",
        here="insights",
        rows=rows,
        total=total,
        used=used,
        kinds=kinds,
        search=search,
        offset=offset,
        tabs=TABS,
    )


def _symbol(query: Mapping[str, Any]) -> tuple[str, str]:
    tag = choose.unwrapped(query).get("kind")
    found = [(symbol, name) for key, symbol, name in TABS if KINDS[key] == tag]
    return found[0] if found else ("code", str(tag))


def new(visit: Visit) -> Response:
    """GET …/insights/new — the editor with a question of the address, or a blank one."""
    query = question(visit) or editing.blank(visit.text("kind", "trends"))
    return _page(visit, query, saved=None)


def saved(visit: Visit) -> Response:
    """GET …/insights/{short_id} — the editor with a saved question, or as changed since."""
    short_id = str(visit.request.path_params["short_id"])
    with visit.services.metadata.reading() as session:
        row = boards.insight_of_short_id(session, visit.here.id, short_id)
    return _page(visit, question(visit) or dict(choose.unwrapped(row.query)), saved=row)


def question(visit: Visit) -> dict[str, Any] | None:
    """Return the question in the address or the form. Raises InvalidInput."""
    text = visit.text("q")
    if not text:
        return None
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise InvalidInput(
            f"The question {text[:60]!r} in the address is no JSON.",
            hint="Go back, or begin a new insight.",
            attr="q",
        ) from error


def _page(visit: Visit, query: dict[str, Any], *, saved: Insight | None) -> Response:
    values = editor(visit, query, saved=saved, name=saved.name if saved else "")
    plain = visit.text("as") == "tables"
    return visit.render(
        "insight.html",
        here="insights",
        inline=_answered(visit, query) if plain else None,
        **values,
    )


def editor(
    visit: Visit, query: dict[str, Any], *, saved: Insight | None, name: str
) -> dict[str, Any]:
    """Return what the editor shows of a question."""
    text = msgspec.json.encode(query).decode()
    kind = editing.kind_of(query)
    suggested = sentences.name(query)
    asked = query.get("dateRange") or {}
    chosen = Range(
        date_from=str(asked.get("date_from") or ""), date_to=str(asked.get("date_to") or "")
    )
    base = visit.path(f"insights/{saved.short_id}" if saved else "insights/new")
    board = visit.text("dashboard")
    return {
        "query": query,
        "text": text,
        "kind": kind,
        "saved": saved,
        "changed": saved is not None and choose.unwrapped(saved.query) != query,
        "name": name or suggested,
        "suggested": suggested,
        "sentence": sentences.sentence(query),
        "board": board,
        "base": base,
        "tabs": [
            (key, symbol, title, _tab(base, query, key, board))
            for key, symbol, title in TABS
        ],
        "range": chosen,
        "range_label": ranges.label(chosen, "Last 7 days"),
        "range_dates": ranges.dates(chosen, visit.local_now),
        "range_choices": ranges.CHOICES,
        "filters": _filters(query.get("properties")),
        "series_filters": [
            _filters(one.get("properties")) for one in query.get("series") or []
        ],
        "breakdowns": editing_lists.breakdowns_of(query),
        "excluded": editing_lists.exclusions_of(query),
        "operators": ranges.OPERATORS,
        "choices": choices(visit, query),
    }


def _tab(base: str, query: dict[str, Any], kind: str, board: str) -> str:
    asked = {"q": msgspec.json.encode(editing.converted(query, kind)).decode()}
    if board:
        asked["dashboard"] = board
    return f"{base}?{urlencode(asked)}"


def _filters(found: Any) -> list[tuple[str, str, str]]:
    """Return filters in words; a group of filters is one entry that says so."""
    if not found:
        return []
    if isinstance(found, dict):
        return [("a group of filters", "", str(found.get("type", "AND")))]
    return [
        ranges.said(one)
        if "key" in one
        else ("a group of filters", "", str(one.get("type")))
        for one in found
    ]


def edit(visit: Visit) -> Response:
    """POST …/insights/edit — the form after a change: its new question and address."""
    base = question(visit) or editing.blank("trends")
    query = editing.edited(base, visit.form)
    act = visit.text("do")
    if act:
        query = editing.acted(query, act, visit.form)
    short_id = visit.text("saved")
    row = _saved(visit, short_id) if short_id else None
    typed = visit.text("name")
    name = "" if typed == sentences.name(base) and row is None else typed
    values = editor(visit, query, saved=row, name=name)
    asked = {"q": values["text"]} | (
        {"dashboard": values["board"]} if values["board"] else {}
    )
    address = f"{values['base']}?{urlencode(asked)}"
    if not visit.is_partial:
        return visit.go(f"{address}&as=tables")
    reply = visit.render("_editor.html", inline=None, **values)
    reply.headers["HX-Push-Url"] = address
    reply.headers["HX-Trigger-After-Settle"] = "question-changed"
    return reply


def _saved(visit: Visit, short_id: str) -> Insight:
    with visit.services.metadata.reading() as session:
        return boards.insight_of_short_id(session, visit.here.id, short_id)


def answer(visit: Visit) -> Response:
    """POST …/insights/answer — what is drawn for a question, or why nothing is."""
    query = question(visit)
    if query is None:
        raise InvalidInput("There is no question.", hint="Reload the page.", attr="q")
    shown = _answered(visit, query)
    if files.wanted(visit.text("as")) and shown["error"] is None:
        name = visit.text("name") or sentences.name(query)
        return files.reply(name, shown["chart"].table, visit.text("as"))
    return visit.render("_answer.html", **shown)


def _answered(visit: Visit, query: dict[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "chart": None,
        "error": None,
        "query": query,
        "text": msgspec.json.format(msgspec.json.encode(query)).decode(),
        "sql": "",
        "age": "",
        "note": "",
        "curl": _curl(visit, query),
    }
    try:
        drawn = drawing.draw(visit, query, refresh=visit.text("refresh") or "blocking")
    except HedgerowError as error:
        return {**shown, "error": error}
    took = drawn.answer.get("query_duration_ms")
    return {
        **shown,
        "chart": drawn.chart,
        "query": drawn.query,
        "sql": str(drawn.answer.get("hogql") or ""),
        "age": drawn.age + (f" in {took:,.0f} ms" if took is not None else ""),
        "note": _note(visit, drawn.chart),
    }


def _note(visit: Visit, chart: Any) -> str:
    told = f"Times in {visit.here.timezone}."
    if chart.kind == "plot" and chart.unfinished is not None:
        return f"* Not over yet. Averages leave it out. {told}"
    return told


def _curl(visit: Visit, query: dict[str, Any]) -> str:
    body = msgspec.json.encode({"query": query}).decode().replace("'", "'\\''")
    return (
        f"curl {visit.public_url}/api/projects/{visit.here.id}/query \\\n"
        f"  -H 'Authorization: Bearer <your key>' \\\n"
        f"  -H 'Content-Type: application/json' \\\n  -d '{body}'"
    )


def save(visit: Visit) -> Response:
    """POST …/insights — keep the question: a new one, or the saved one as it is now."""
    query = editing.edited(question(visit) or editing.blank("trends"), visit.form)
    visit.ask(query)  # what cannot be asked is not saved
    name = visit.text("name") or sentences.name(query)
    short_id, board = visit.text("saved"), visit.text("dashboard")
    with visit.services.metadata.writing() as session:
        if short_id and visit.text("do") != "copy":
            row = boards.insight_of_short_id(session, visit.here.id, short_id)
            boards.change(row, {"name": name, "query": query}, visit.now)
            action = "changed"
        else:
            row = boards.create_insight(
                session,
                visit.here.id,
                query,
                now=visit.now,
                name=name,
                created_by=visit.who.id,
            )
            action = "created"
        if board.isdecimal():
            on = boards.dashboard(session, visit.here.id, int(board))
            boards.add_tile(session, on.id, insight_id=row.id)
        _note_change(visit, session, action, row)
    if board.isdecimal():
        return visit.go(visit.path(f"dashboards/{board}"), notice=f"{name} added")
    return visit.go(visit.path(f"insights/{row.short_id}"), notice="Saved")


def _note_change(visit: Visit, session: Any, action: str, row: Insight) -> None:
    audit.note(
        session,
        audit.actor(visit.who, visit.now),
        action,
        ("insight", row.id),
        project_id=visit.here.id,
        after={"name": row.name, "query": row.query},
    )


def remove(visit: Visit) -> Response:
    """POST …/insights/{short_id}/delete — hide it; undo gives it back."""
    row = _saved(visit, str(visit.request.path_params["short_id"]))
    _set_deleted(visit, row.id, deleted=True)
    undo = visit.path(f"insights/{row.id}/restore")
    return visit.go(
        visit.path("insights"), notice=f"{row.name or 'Insight'} deleted|{undo}"
    )


def restore(visit: Visit) -> Response:
    """POST …/insights/{insight_id}/restore — take a deletion back."""
    row = _set_deleted(visit, int(visit.request.path_params["insight_id"]), deleted=False)
    return visit.go(visit.path(f"insights/{row.short_id}"), notice="It is back")


def _set_deleted(visit: Visit, insight_id: int, *, deleted: bool) -> Insight:
    with visit.services.metadata.writing() as session:
        row = boards.insight(session, visit.here.id, insight_id, deleted=True)
        boards.change(row, {"deleted": deleted}, visit.now)
        _note_change(visit, session, "deleted" if deleted else "restored", row)
    return row
