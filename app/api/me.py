"""Who the token acts for: ``/me``."""

from app import languages
from app.api import kinds
from app.api.call import Answer, Call
from app.api.idents import word, word_or_none
from app.api.shapes import Complaint, InvalidFields, Shape, given, may
from app.errors import InvalidInput
from app.models.people import ROLES
from app.tracking.days import zone
from app.work import projects

_DURATIONS = kinds.one_of("h:mm", "decimal")
_THEMES = kinds.one_of("system", "light", "dark")
ME = Shape(
    "Me",
    {
        "id": given(kinds.ident("user")),
        "username": given(kinds.text(150)),
        "display_name": given(kinds.text(200)),
        "email": given(kinds.text(254), null=True),
        "role": given(kinds.one_of(*ROLES)),
        "timezone": given(kinds.text(64)),
        "week_start": given(kinds.number_of(0, 1, 6), "0 Sunday, 1 Monday, 6 Saturday."),
        "time_format": given(kinds.number_of(12, 24)),
        "locale": given(kinds.text(20), "Language of the pages."),
        "duration_format": given(_DURATIONS),
        "theme": given(_THEMES),
        "shortcuts_enabled": given(kinds.flag),
        "analytics_opt_out": given(kinds.flag, "One's own actions are not reported."),
        "weekly_target_minutes": given(kinds.whole(), null=True),
        "default_project": given(kinds.ident("project"), null=True),
    },
)
ME_CHANGE = Shape(
    "MeChange",
    {
        "display_name": may(kinds.text(200, least=1)),
        "timezone": may(kinds.text(64), "Such as Europe/Berlin."),
        "week_start": may(kinds.number_of(0, 1, 6)),
        "time_format": may(kinds.number_of(12, 24)),
        "locale": may(kinds.text(20), "One of those the profile offers."),
        "duration_format": may(_DURATIONS),
        "theme": may(_THEMES),
        "shortcuts_enabled": may(kinds.flag),
        "analytics_opt_out": may(kinds.flag),
        "weekly_target_minutes": may(kinds.whole(1, 10_080), null=True),
        "default_project": may(kinds.ident("project"), null=True),
    },
)


def read_me(call: Call) -> Answer:
    """Say whose token this is."""
    user = call.user
    return Answer(
        body={
            "id": word("user", user.id),
            "username": user.username,
            "display_name": user.display_name,
            "email": user.email,
            "role": user.role,
            "timezone": user.timezone,
            "week_start": user.week_start,
            "time_format": user.time_format,
            "locale": user.locale,
            "duration_format": user.duration_format,
            "theme": user.theme,
            "shortcuts_enabled": user.shortcuts_enabled,
            "analytics_opt_out": user.analytics_opt_out,
            "weekly_target_minutes": user.weekly_target_minutes,
            "default_project": word_or_none("project", user.default_project_id),
        }
    )


def change_me(call: Call) -> Answer:
    """Change one's own formats, zone and target."""
    wanted = dict(call.body)
    if "timezone" in wanted:
        wanted["timezone"] = checked_zone(wanted["timezone"])
    offered = dict(languages.available())
    if "locale" in wanted and wanted["locale"] not in offered:
        words = f"{wanted['locale']!r} is none of {', '.join(offered)}."
        raise InvalidFields([Complaint("locale", words)])
    if "default_project" in wanted:
        number = wanted.pop("default_project")
        if number is not None:
            projects.find(call.session, call.user, number)
        wanted["default_project_id"] = number
    if "display_name" in wanted and not wanted["display_name"].strip():
        raise InvalidFields([Complaint("display_name", "This cannot be blank.")])
    for name, value in wanted.items():
        setattr(call.user, name, value)
    call.session.flush()
    return read_me(call)


def checked_zone(name: str) -> str:
    """Return the name of a zone, or raise for one that does not exist."""
    try:
        return zone(name).key
    except InvalidInput as error:
        raise InvalidFields([Complaint("timezone", error.what)]) from error
