"""One file for each part of the site: parse, call, tell, render."""

from app.views import (
    api_tokens,
    client,
    column_sets,
    dashboard,
    day,
    departures,
    entry,
    exports,
    forgotten,
    imports,
    installation,
    live,
    lock,
    oidc,
    organise,
    pins,
    privacy,
    profile,
    project,
    register,
    reports_filter,
    reports_more,
    saved,
    settings,
    setup,
    signin,
    task,
    timer,
    trail,
    week,
)

REGISTERED = (
    setup.blueprint,
    signin.blueprint,
    oidc.blueprint,
    register.blueprint,
    dashboard.blueprint,
    day.blueprint,
    week.blueprint,
    timer.blueprint,
    live.blueprint,
    forgotten.blueprint,
    pins.blueprint,
    entry.blueprint,  # that of entries, with what can be done with one of them
    exports.blueprint,
    column_sets.blueprint,
    project.blueprint,  # that of projects, with the page of one
    client.blueprint,  # that of clients, with the form of one
    task.blueprint,  # that of tasks, with the form of one
    organise.tag_pages,
    organise.rate_pages,
    profile.blueprint,
    imports.blueprint,
    api_tokens.blueprint,
    reports_more.blueprint,  # that of all reports
    reports_filter.blueprint,
    saved.blueprint,
    departures.blueprint,  # that of users, with how one leaves
    settings.blueprint,
    lock.blueprint,
    trail.blueprint,
    privacy.blueprint,
    installation.blueprint,  # that of system, with its page
)
"""What ``create_app`` puts together."""
