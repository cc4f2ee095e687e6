"""One file for each part of the site: parse, call, tell, render."""

from app.views import (
    dashboard,
    day,
    entry,
    exports,
    privacy,
    projects,
    setup,
    signin,
    system,
    timer,
)

REGISTERED = (
    setup.blueprint,
    signin.blueprint,
    dashboard.blueprint,
    day.blueprint,
    timer.blueprint,
    entry.blueprint,  # that of entries, with what can be done with one of them
    exports.blueprint,
    projects.blueprint,
    privacy.blueprint,
    system.blueprint,
)
"""What ``create_app`` puts together."""
