"""The exact totals of what was made, counted on the way out.

Counted from the finished events with plain sets and counters, by nothing that a query uses:
so an answer that agrees with a total is right twice.
"""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

BREAKDOWNS = {
    "auth.login": "auth_method",
    "telemetry.install": "deployment_method",
    "export.completed": "export_type",
    "report.viewed": "experiment_variant",
}
"""Events whose counts are also told by a property."""


class Totals:
    """Counts events as they pass. Times are UTC."""

    def __init__(self, until: datetime) -> None:
        self.until = until
        self.events: Counter[str] = Counter()
        self.by_property: dict[str, Counter[str]] = {name: Counter() for name in BREAKDOWNS}
        self.updates_from: dict[str, Counter[str]] = {}
        self.errors_by_version: Counter[str] = Counter()
        self.health_24h: dict[str, dict[str, Any]] = {}
        self.installations_30d: set[str] = set()
        self.distinct_ids: set[str] = set()
        self.users_by_day: dict[str, set[str]] = {}
        self._day_ago = self._text(until - timedelta(hours=24))
        today = until.replace(hour=0, minute=0, second=0, microsecond=0)
        self._month_ago = self._text(today - timedelta(days=30))
        self._fortnight_ago = self._text(today - timedelta(days=13))

    @staticmethod
    def _text(when: datetime) -> str:
        return when.strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def count(self, event: dict[str, Any]) -> None:
        """Take one event into account."""
        name, properties, at = event["event"], event["properties"], event["timestamp"]
        who = event["distinct_id"]
        self.events[name] += 1
        self.distinct_ids.add(who)
        if name in BREAKDOWNS:
            self.by_property[name][str(properties.get(BREAKDOWNS[name]))] += 1
        if name == "telemetry.health":
            self._health(who, at, properties)
        elif name == "telemetry.update":
            steps = self.updates_from.setdefault(properties["old_version"], Counter())
            steps[properties["new_version"]] += 1
        elif properties.get("feature_category") == "error":
            self.errors_by_version[properties["app_version"]] += 1
        if who.isdigit() and at >= self._fortnight_ago:
            self.users_by_day.setdefault(at[:10], set()).add(who)

    def _health(self, who: str, at: str, properties: dict[str, Any]) -> None:
        if at >= self._day_ago:
            self.health_24h[who] = properties
        if at >= self._month_ago:
            self.installations_30d.add(who)

    def told(self) -> dict[str, Any]:
        """Return the totals as plain data, for people and for tests."""
        now = self.health_24h.values()
        return {
            "events": sum(self.events.values()),
            "events_by_name": dict(sorted(self.events.items())),
            "distinct_ids": len(self.distinct_ids),
            "active_installations_24h": len(self.health_24h),
            "active_installations_30d": len(self.installations_30d),
            "versions_24h": dict(Counter(one["app_version"] for one in now)),
            "platforms_24h": dict(Counter(one["platform"] for one in now)),
            "daily_active_users": {
                day: len(users) for day, users in sorted(self.users_by_day.items())
            },
            "updates_from": {
                old: dict(new) for old, new in sorted(self.updates_from.items())
            },
            "errors_by_version": dict(sorted(self.errors_by_version.items())),
            "by_property": {
                f"{name} by {BREAKDOWNS[name]}": dict(counts)
                for name, counts in self.by_property.items()
            },
        }
