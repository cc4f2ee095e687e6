"""For administrators: ``/audit``, ``/settings``, ``/telemetry/preview``."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from app import settings as run_time
from app.api import kinds
from app.api.call import Answer, Call
from app.api.idents import word, word_or_none
from app.api.paging import PAGE, Order, listed
from app.api.shapes import Complaint, Field, InvalidFields, Shape, given, may
from app.api.shown import iso
from app.audit import Object
from app.config import VARIABLES
from app.models.records import AuditLog
from app.models.saved import Setting
from app.telemetry import preview
from app.telemetry.reporter import EXTENSION, Reporter

LINE = Shape(
    "AuditLine",
    {
        "id": given(kinds.ident("line")),
        "at": given(kinds.instant),
        "actor": given(kinds.ident("user"), "Null: the program itself.", null=True),
        "via": given(kinds.text(10), "web, api, system or cli."),
        "action": given(kinds.text(60)),
        "object_type": given(kinds.text(30)),
        "object_label": given(kinds.text(300)),
        "changes": given(
            kinds.shown(type="object", additionalProperties={"type": "array"}),
            "Field → [old, new]; an empty list where the content is not kept.",
        ),
        "ip": given(kinds.text(64), null=True),
        "request_id": given(kinds.text(36), null=True),
    },
)
AUDIT: dict[str, Field] = {
    **PAGE,
    "since": may(kinds.instant),
    "until": may(kinds.instant),
    "action": may(kinds.text(60), "Such as export."),
    "actor": may(kinds.ident("user")),
}

_VALUE = kinds.shown(type=["string", "integer", "boolean"])
SETTINGS = Shape(
    "Settings",
    {
        name: given(
            kinds.shown(
                type="object",
                properties={
                    "value": dict(_VALUE.schema),
                    "source": {
                        "type": "string",
                        "enum": ["environment", "saved", "default"],
                    },
                },
                required=["value", "source"],
            ),
            VARIABLES[name].metadata["note"],
        )
        for name in run_time.CHANGEABLE
    },
)


def _as_setting(name: str) -> kinds.Kind:
    """The kind of a setting: what its environment variable takes."""
    variable = VARIABLES[name]
    default = variable.default
    kind = {bool: kinds.flag, int: kinds.whole(-1)}.get(type(default))

    def read(value: Any) -> Any:
        if kind is not None:
            kind.read(value)
        try:
            text = str(value).lower() if isinstance(value, bool) else str(value)
            return variable.metadata["kind"].read(text) if text or default else ""
        except (ValueError, KeyError, AttributeError, TypeError) as error:
            words = variable.metadata["kind"].words
            raise kinds.Wrong(
                f"{str(value)[:40]!r} cannot be used. It takes {words}."
            ) from error

    schema = kind.schema if kind is not None else {"type": "string", "maxLength": 100}
    return kinds.Kind(schema, read, read)


SETTINGS_CHANGE = Shape(
    "SettingsChange", {name: may(_as_setting(name)) for name in run_time.CHANGEABLE}
)
LAYER: dict[str, Field] = {
    "layer": may(kinds.one_of("base", "detailed"), "`detailed` unless given."),
}
PREVIEW = Shape(
    "TelemetryPreview",
    {
        "layer": given(kinds.one_of("base", "detailed")),
        "messages": given(
            kinds.shown(
                type="array",
                items={
                    "type": "object",
                    "properties": {
                        "sink": {"type": "string"},
                        "message": {"type": "object"},
                    },
                    "required": ["sink", "message"],
                },
            )
        ),
    },
)


def list_audit(call: Call) -> Answer:
    """List who did what, the newest first."""
    query, asked = select(AuditLog), call.query
    if "since" in asked:
        query = query.where(AuditLog.at >= asked["since"])
    if "until" in asked:
        query = query.where(AuditLog.at < asked["until"])
    if "action" in asked:
        query = query.where(AuditLog.action == asked["action"])
    if "actor" in asked:
        query = query.where(AuditLog.actor_id == asked["actor"])
    order = Order((AuditLog.at, AuditLog.id), falls=True, name="audit")
    return listed(call, query, order, _line)


def _line(line: AuditLog) -> dict[str, Any]:
    return {
        "id": word("line", line.id),
        "at": iso(line.at),
        "actor": word_or_none("user", line.actor_id),
        "via": line.via,
        "action": line.action,
        "object_type": line.object_type,
        "object_label": line.object_label,
        "changes": line.changes,
        "ip": line.ip,
        "request_id": line.request_id,
    }


def read_settings(call: Call) -> Answer:
    """Return the rules in force and where each comes from."""
    fixed = call.config["SET_IN_ENVIRONMENT"]
    saved = {row.key: row.value for row in call.session.scalars(select(Setting))}
    found = {}
    for name in run_time.CHANGEABLE:
        source, value = "default", call.config[name]
        if name in fixed:
            source = "environment"
        elif name in saved:
            source, value = "saved", saved[name]
        found[name] = {"value": value, "source": source}
    return Answer(body=found)


def change_settings(call: Call) -> Answer:
    """Change rules; one that the environment sets is refused by name."""
    fixed = call.config["SET_IN_ENVIRONMENT"]
    wrong = [Complaint(n, "It is set by the environment.") for n in call.body if n in fixed]
    if wrong:
        raise InvalidFields(wrong)
    before: Mapping[str, Any] = read_settings(call).body
    changed = run_time.save(call.session, call.config, call.body)
    call.session.flush()
    if changed:
        both = {name: (before[name]["value"], call.body[name]) for name in changed}
        call.note("settings.updated", Object(type="settings"), both)
        call.tell("admin.settings_updated", {"fields": changed})
    return read_settings(call)


def preview_telemetry(call: Call) -> Answer:
    """Return the messages that would leave next, made by the code that sends."""
    reporter: Reporter = call.extensions[EXTENSION]
    layer = call.query.get("layer", "detailed")
    someone = call.user if layer == "detailed" else None
    found = preview.preview(reporter, layer, call.now, user=someone)
    messages = [{"sink": sink, "message": message} for sink, message in found]
    return Answer(body={"layer": layer, "messages": messages})
