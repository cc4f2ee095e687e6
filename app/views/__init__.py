"""One file for each part of the site: parse, call, tell, render."""

from app.views import (
    dashboard,
    entries,
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
    timer.blueprint,
    entries.blueprint,
    exports.blueprint,
    projects.blueprint,
    privacy.blueprint,
    system.blueprint,
)
"""What ``create_app`` puts together."""
