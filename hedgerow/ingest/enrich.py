"""What a user agent, an address of a page and an IP address say by the way.

Each step fills in what the SDK did not say, and never changes what it did: browser and
device from the user agent, campaign parameters from ``$current_url``, the referring
domain, the place of an IP address, and ``$elements_chain`` from what older SDKs send.
Robots are marked ``$is_bot``: kept and countable, and easy to leave out.

A server's user agent describes the server, so only a browser's is looked at.
"""

import re
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from ua_parser import parse

from hedgerow.ingest.drafts import Batch, Draft
from hedgerow.ingest.elements import chain

CAMPAIGN = frozenset(
    [
        "utm_source",
        "utm_medium",
        "utm_campaign",
        "utm_content",
        "utm_name",
        "utm_term",
        "gclid",
        "gad_source",
        "gclsrc",
        "dclid",
        "gbraid",
        "wbraid",
        "fbclid",
        "msclkid",
        "twclid",
        "li_fat_id",
        "mc_cid",
        "igshid",
        "ttclid",
        "rdt_cid",
        "irclid",
        "_kx",
        "epik",
        "qclid",
        "sccid",
    ]
)
BROWSERS = {
    "Chrome Mobile": "Chrome",
    "Chrome Mobile iOS": "Chrome iOS",
    "Chrome Mobile WebView": "Chrome",
    "Edge": "Microsoft Edge",
    "Edge Mobile": "Microsoft Edge",
    "Firefox Mobile": "Firefox",
    "IE": "Internet Explorer",
    "Opera Mobile": "Opera",
}
"""Families of the user-agent database to the names that posthog-js uses."""

ROBOT = re.compile(
    r"bot\b|bot/|crawl|spider|slurp|headlesschrome|lighthouse|preview|monitor|"
    r"facebookexternalhit|phantomjs|prerender",
    re.IGNORECASE,
)
TABLET = re.compile(r"ipad|tablet|kindle|silk|playbook|android(?!.*mobile)", re.IGNORECASE)
MOBILE = re.compile(r"mobi|iphone|ipod|android|windows phone", re.IGNORECASE)


def put_device(batch: Batch) -> None:
    """Put browser, system and kind of device; mark robots."""
    for draft in batch.drafts:
        properties = draft.properties
        if "$os_name" in properties:
            properties.setdefault("$os", properties["$os_name"])
        agent = _agent(draft)
        if agent is None:
            continue
        for group in _device(agent):
            if group[0][0] not in properties:
                properties.update(group)


def _agent(draft: Draft) -> str | None:
    """Return the user agent that speaks for the person, if there is one."""
    properties = draft.properties
    for name in ("$raw_user_agent", "$user_agent"):
        if isinstance(own := properties.get(name), str) and own:
            return own[:1000]
    agent = draft.user_agent
    if not agent or not agent.startswith("Mozilla/") or "$is_server" in properties:
        return None
    return agent[:1000] if properties.get("$lib", "web") in {"web", "js"} else None


@lru_cache(maxsize=2048)
def _device(agent: str) -> tuple[tuple[tuple[str, Any], ...], ...]:
    """Return groups of properties; a group is put where its first name is missing."""
    found = parse(agent)
    groups: list[tuple[tuple[str, Any], ...]] = []
    if (browser := found.user_agent) is not None:
        name = BROWSERS.get(browser.family, browser.family)
        version = _version(browser.major, browser.minor)
        groups.append((("$browser", name), *_if("$browser_version", version)))
    if (system := found.os) is not None:
        text = ".".join(one for one in (system.major, system.minor, system.patch) if one)
        groups.append((("$os", system.family), *_if("$os_version", text or None)))
    groups.append((("$device_type", _device_type(agent)),))
    if ROBOT.search(agent):
        groups.append((("$is_bot", True),))
    return tuple(groups)


def _if(name: str, value: Any) -> tuple[tuple[str, Any], ...]:
    return () if value is None else ((name, value),)


def _version(major: str | None, minor: str | None) -> int | float | None:
    """Return a browser's version as the number that posthog-js sends."""
    if not major or not major.isdecimal():
        return None
    if minor and minor.isdecimal() and int(minor):
        return float(f"{major}.{minor}")
    return int(major)


def _device_type(agent: str) -> str:
    if TABLET.search(agent):
        return "Tablet"
    return "Mobile" if MOBILE.search(agent) else "Desktop"


def put_campaign(batch: Batch) -> None:
    """Put the campaign parameters of the page's address."""
    for draft in batch.drafts:
        address = draft.properties.get("$current_url")
        if isinstance(address, str) and "?" in address:
            for name, value in _campaign(address):
                draft.properties.setdefault(name, value)


@lru_cache(maxsize=4096)
def _campaign(address: str) -> tuple[tuple[str, str], ...]:
    try:
        query = urlsplit(address).query
        given = parse_qsl(query, max_num_fields=200)
    except ValueError:  # no address, or one that tries it on
        return ()
    return tuple((name, value) for name, value in given if name in CAMPAIGN)


def put_referrer(batch: Batch) -> None:
    """Put the domain of the page one came from."""
    for draft in batch.drafts:
        referrer = draft.properties.get("$referrer")
        if isinstance(referrer, str) and "$referring_domain" not in draft.properties:
            domain = referrer if referrer == "$direct" else _domain(referrer)
            if domain:
                draft.properties["$referring_domain"] = domain


def _domain(address: str) -> str:
    try:
        return urlsplit(address).netloc.rpartition("@")[2]
    except ValueError:
        return ""


def put_place(batch: Batch) -> None:
    """Put where the event's IP address is, if there is a database of places."""
    if batch.place is None:
        return
    for draft in batch.drafts:
        properties = draft.properties
        address = properties.get("$ip")
        if isinstance(address, str) and properties.get("$geoip_disable") is not True:
            for name, value in batch.place(address).items():
                properties.setdefault(name, value)


def put_elements_chain(batch: Batch) -> None:
    """Put ``$elements_chain`` for the list of elements that older SDKs send."""
    for draft in batch.drafts:
        elements = draft.properties.get("$elements")
        if isinstance(elements, list):
            del draft.properties["$elements"]
            draft.properties.setdefault("$elements_chain", chain(elements))
