"""What the words of closed lists are called: layers of consent, outcomes, sinks, reasons.

They are kept and sent as they are; a page shows ``word(kept)``, in the reader's language.
"""

from app.languages import gettext as _


def word(kept: str) -> str:
    """Return what a kept word is called; one that is in no list stays as it is."""
    return _known().get(kept, kept)


def _known() -> dict[str, str]:
    return {
        "off": _("off"),
        "base": _("base"),
        "detailed": _("detailed"),
        "sent": _("sent"),
        "handed over": _("handed over"),
        "failed": _("failed"),
        "dry run": _("dry run"),
        "not sent": _("not sent"),
        "user": _("user"),
        "installation": _("installation"),
        "analytics": _("analytics"),
        "telemetry": _("telemetry"),
        "analytics and telemetry": _("analytics and telemetry"),
        "wizard": _("first run"),
        "configuration": _("configuration"),
        "admin": _("an administrator"),
        "day": _("day"),
        "week": _("week"),
        "month": _("month"),
    }
