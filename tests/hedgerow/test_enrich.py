"""What a user agent, a page's address and an IP address add, where the SDK said nothing."""

import json

import msgspec
import pytest

from hedgerow.ingest.batch import prepare
from hedgerow.ingest.drafts import Arrived
from hedgerow.model.events import CapturedRequest
from tests.world import NOW, a_project, captured

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/124.0.0.0 Safari/537.36"
)
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, "
    "like Gecko) Version/17.4 Mobile/15E148 Safari/604.1"
)
TABLET = (
    "Mozilla/5.0 (Linux; Android 13; SM-X700) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/124.0.0.0 Safari/537.36"
)
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


def enriched(properties, *, user_agent=None, place=None):
    request = CapturedRequest(
        token="phc_x",
        sent_at=None,
        events=[captured("a", "ann", properties=properties)],
        user_agent=user_agent,
    )
    arrived = Arrived(project=a_project(), received_at=NOW, request=request)
    return prepare([arrived], place=place).drafts[0].properties


@pytest.mark.parametrize(
    ("agent", "found"),
    [
        pytest.param(CHROME, ("Chrome", 124, "Windows", "10", "Desktop"), id="a desktop"),
        pytest.param(
            IPHONE, ("Mobile Safari", 17.4, "iOS", "17.4", "Mobile"), id="a phone"
        ),
        pytest.param(TABLET, ("Chrome", 124, "Android", "13", "Tablet"), id="a tablet"),
    ],
)
@pytest.mark.parametrize("where", ["header", "property"])
def test_a_user_agent_says_browser_and_device(agent, found, where):
    if where == "header":
        properties = enriched({"$lib": "web"}, user_agent=agent)
    else:
        properties = enriched({"$raw_user_agent": agent})

    names = ("$browser", "$browser_version", "$os", "$os_version", "$device_type")
    assert tuple(properties[name] for name in names) == found
    assert "$is_bot" not in properties


@pytest.mark.parametrize(
    ("properties", "agent"),
    [
        pytest.param({"$lib": "posthog-python"}, CHROME, id="of a server SDK"),
        pytest.param({"$is_server": True}, CHROME, id="of a server"),
        pytest.param({}, "curl/8.1", id="of no browser"),
        pytest.param({}, None, id="absent"),
    ],
)
def test_a_user_agent_that_is_not_the_persons_says_nothing(properties, agent):
    assert enriched(properties, user_agent=agent) == properties


@pytest.mark.parametrize(
    ("said", "os"),
    [({"$os_name": "iPadOS"}, "iPadOS"), ({"$os_name": "a", "$os": "b"}, "b")],
    ids=["the longer name stands in", "the usual name wins"],
)
def test_the_system_may_go_by_a_longer_name(said, os):
    assert enriched({**said, "$raw_user_agent": CHROME})["$os"] == os


def test_what_the_sdk_said_stays():
    said = {"$browser": "Vivaldi", "$os": "Haiku", "$device_type": "Fridge"}

    assert enriched(said, user_agent=CHROME) == said


def test_robots_are_marked():
    assert enriched({}, user_agent=GOOGLEBOT)["$is_bot"] is True


@pytest.mark.parametrize(
    ("properties", "added"),
    [
        pytest.param(
            {"$current_url": "https://x.example/p?utm_source=news&gclid=1&q=2"},
            {"utm_source": "news", "gclid": "1"},
            id="campaign parameters",
        ),
        pytest.param(
            {"$current_url": "https://x.example/?utm_source=news", "utm_source": None},
            {},
            id="what was sent as null stays",
        ),
        pytest.param({"$current_url": "https://[x/?utm_source=a"}, {}, id="no address"),
        pytest.param({"$current_url": 5}, {}, id="no text"),
        pytest.param(
            {"$referrer": "https://me:pw@news.example:8443/a?b"},
            {"$referring_domain": "news.example:8443"},
            id="the referring domain",
        ),
        pytest.param(
            {"$referrer": "$direct"}, {"$referring_domain": "$direct"}, id="direct"
        ),
        pytest.param({"$referrer": "https://a/", "$referring_domain": "b"}, {}, id="said"),
    ],
)
def test_addresses_say_where_somebody_came_from(properties, added):
    assert enriched(properties) == properties | added


def in_bonn(address):
    return {"$geoip_city_name": "Bonn"} if address == "192.0.2.1" else {}


@pytest.mark.parametrize(
    ("properties", "city"),
    [
        pytest.param({"$ip": "192.0.2.1"}, "Bonn", id="looked up"),
        pytest.param({"$ip": "192.0.2.2"}, None, id="not found"),
        pytest.param({"$ip": None}, None, id="no address"),
        pytest.param({"$ip": "192.0.2.1", "$geoip_disable": True}, None, id="not wanted"),
        pytest.param({"$ip": "192.0.2.1", "$geoip_city_name": "Köln"}, "Köln", id="said"),
    ],
)
def test_an_ip_address_says_the_place(properties, city):
    assert enriched(properties, place=in_bonn).get("$geoip_city_name") == city


def test_a_list_of_elements_becomes_a_chain():
    elements = [
        {
            "tag_name": "a",
            "classes": ["link", "big"],
            "attr__href": "/buy",
            "attr__id": "b",
            "nth_child": 2,
            "nth_of_type": 1,
            "$el_text": 'Buy "now"',
        },
        {"tag_name": "div", "nth_child": 1, "nth_of_type": 1},
        "nonsense",
    ]
    properties = enriched({"$elements": elements})

    assert "$elements" not in properties
    assert properties["$elements_chain"] == (
        'a.big.link:attr__href="/buy"attr__id="b"attr_id="b"href="/buy"nth-child="2"'
        'nth-of-type="1"text="Buy \\"now\\"";div:nth-child="1"nth-of-type="1"'
    )


def test_the_captured_event_is_left_alone():
    event = captured("a", "ann", properties={"$current_url": "https://x/?utm_source=a"})
    before = msgspec.json.encode(event)
    request = CapturedRequest(token="phc_x", sent_at=None, events=[event])
    prepare([Arrived(project=a_project(), received_at=NOW, request=request)])

    assert json.loads(msgspec.json.encode(event)) == json.loads(before)
