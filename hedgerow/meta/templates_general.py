"""Dashboards for any product: how it is used, and how a site is visited.

They ask only what every SDK sends by itself: people, ``$pageview``, browser, place.
"""

from hedgerow.meta.template_parts import Saved, Template, at, is_, trend, with_


def _retained() -> dict[str, object]:
    any_event = {"id": None, "name": "All events", "type": "events"}
    return {
        "kind": "RetentionQuery",
        "retentionFilter": {
            "period": "Week",
            "totalIntervals": 8,
            "retentionType": "retention_first_time",
            "targetEntity": any_event,
            "returningEntity": any_event,
        },
        "dateRange": {"date_from": "-8w"},
    }


def _states() -> dict[str, object]:
    return {
        "kind": "LifecycleQuery",
        "series": [{"kind": "EventsNode", "event": None}],
        "interval": "week",
        "dateRange": {"date_from": "-12w"},
    }


PRODUCT_OVERVIEW = Template(
    key="product-overview",
    name="Product overview",
    description="Whether people come, come back, and what they do.",
    tiles=(
        Saved(
            name="Active today",
            description="Unique persons in the last 24 hours.",
            query=trend(None, "BoldNumber", math="dau", since="-24h"),
            layout=at(0, 0, 4, 5),
        ),
        Saved(
            name="Active this month",
            description="Unique persons in the last 30 days.",
            query=trend(None, "BoldNumber", math="dau"),
            layout=at(4, 0, 4, 5),
        ),
        Saved(
            name="First seen",
            description="Persons who came for the first time, in the last 30 days.",
            query=trend(None, "BoldNumber", math="first_time_for_user"),
            layout=at(8, 0, 4, 5),
        ),
        Saved(
            name="Active persons",
            description="Unique persons a day.",
            query=trend(None, "ActionsLineGraph", math="dau"),
            layout=at(0, 5, 8),
        ),
        Saved(
            name="What happens most",
            description="Events by their number.",
            query=with_(
                trend(None, "ActionsBarValue"),
                breakdownFilter={"breakdown_type": "hogql", "breakdown": "event"},
            ),
            layout=at(8, 5, 4),
        ),
        Saved(
            name="New, returning, back again, gone",
            description="Persons a week by what became of them.",
            query=_states(),
            layout=at(0, 11, 6),
        ),
        Saved(
            name="Coming back",
            description="Of those who came first in a week, who came in later ones.",
            query=_retained(),
            layout=at(6, 11, 6),
        ),
    ),
)

WEB_OVERVIEW = Template(
    key="web-overview",
    name="Web overview",
    description="How a site is visited: by whom, from where, which pages.",
    tiles=(
        Saved(
            name="Visitors",
            description="Unique persons with a page view, in the last 30 days.",
            query=trend("$pageview", "BoldNumber", math="dau"),
            layout=at(0, 0, 4, 5),
        ),
        Saved(
            name="Page views",
            description="In the last 30 days.",
            query=trend("$pageview", "BoldNumber"),
            layout=at(4, 0, 4, 5),
        ),
        Saved(
            name="Sessions",
            description="Unique sessions, in the last 30 days.",
            query=trend("$pageview", "BoldNumber", math="unique_session"),
            layout=at(8, 0, 4, 5),
        ),
        Saved(
            name="Visitors a day",
            description="Unique persons with a page view.",
            query=trend("$pageview", "ActionsLineGraph", math="dau"),
            layout=at(0, 5, 12),
        ),
        Saved(
            name="Pages",
            description="Page views by path.",
            query=trend("$pageview", "ActionsBarValue", by="$pathname"),
            layout=at(0, 11, 4, 7),
        ),
        Saved(
            name="Referrers",
            description="Visitors by the site they came from.",
            query=trend(
                "$pageview",
                "ActionsBarValue",
                math="dau",
                by="$referring_domain",
                where=(is_("$referring_domain", "$direct", operator="is_not"),),
            ),
            layout=at(4, 11, 4, 7),
        ),
        Saved(
            name="Countries",
            description="Visitors by country, where a GeoIP file is named.",
            query=trend(
                "$pageview", "ActionsBarValue", math="dau", by="$geoip_country_name"
            ),
            layout=at(8, 11, 4, 7),
        ),
        Saved(
            name="Browsers",
            description="Visitors by browser.",
            query=trend("$pageview", "ActionsPie", math="dau", by="$browser"),
            layout=at(0, 18, 4, 6),
        ),
        Saved(
            name="Devices",
            description="Visitors by kind of device.",
            query=trend("$pageview", "ActionsPie", math="dau", by="$device_type"),
            layout=at(4, 18, 4, 6),
        ),
        Saved(
            name="Campaigns",
            description="Visitors by utm_source.",
            query=trend("$pageview", "ActionsBarValue", math="dau", by="utm_source"),
            layout=at(8, 18, 4, 6),
        ),
    ),
)
