"""A file in MaxMind's format says where an address is."""

import json

import pytest

from hedgerow.errors import BadSetting
from hedgerow.serve.places import Places
from tests.hedgerow.mmdb import written
from tests.world import a_project, captured, rows, store_events

OXFORD = {
    "city": {"names": {"en": "Oxford", "de": "Oxford"}},
    "country": {"iso_code": "GB", "names": {"en": "United Kingdom"}},
    "continent": {"code": "EU", "names": {"en": "Europe"}},
    "postal": {"code": "OX1"},
    "location": {
        "latitude": 51.75,
        "longitude": -1.25,
        "accuracy_radius": 20,
        "time_zone": "Europe/London",
    },
    "subdivisions": [
        {"iso_code": "ENG", "names": {"en": "England"}},
        {"iso_code": "OXF", "names": {"en": "Oxfordshire"}},
        {"iso_code": "OXC", "names": {"en": "Oxford City"}},
        {"iso_code": "X", "names": {"en": "beyond the third"}},
    ],
}
FOUND = {
    "$geoip_city_name": "Oxford",
    "$geoip_country_name": "United Kingdom",
    "$geoip_country_code": "GB",
    "$geoip_continent_name": "Europe",
    "$geoip_continent_code": "EU",
    "$geoip_postal_code": "OX1",
    "$geoip_latitude": 51.75,
    "$geoip_longitude": -1.25,
    "$geoip_accuracy_radius": 20,
    "$geoip_time_zone": "Europe/London",
    "$geoip_subdivision_1_code": "ENG",
    "$geoip_subdivision_1_name": "England",
    "$geoip_subdivision_2_code": "OXF",
    "$geoip_subdivision_2_name": "Oxfordshire",
    "$geoip_subdivision_3_code": "OXC",
    "$geoip_subdivision_3_name": "Oxford City",
}


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    known = {
        "192.0.2.0/24": OXFORD,
        "198.51.100.0/25": {"country": {"iso_code": "FR"}},
        "203.0.113.0/24": {"city": {"names": {"fr": "Lyon"}}},
    }
    path = written(tmp_path_factory.mktemp("places") / "city.mmdb", known)
    opened = Places(str(path))
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("address", "found"),
    [
        pytest.param("192.0.2.77", FOUND, id="a city"),
        pytest.param("198.51.100.1", {"$geoip_country_code": "FR"}, id="only a country"),
        pytest.param("203.0.113.1", {}, id="no English name"),
        pytest.param("198.51.100.200", {}, id="not in the file"),
        pytest.param("2001:db8::1", {}, id="IPv6 in a file of IPv4"),
        pytest.param("nowhere", {}, id="no address"),
        pytest.param("", {}, id="nothing"),
    ],
)
def test_an_address_has_a_place(places, address, found):
    assert places.of(address) == found


def test_the_place_is_the_events_and_its_persons_first_and_latest(places, store):
    project = a_project()
    store_events(
        store,
        project,
        [
            captured("a", "ann", properties={"$ip": "192.0.2.77"}),
            captured("b", "ann", properties={"$ip": "198.51.100.1"}, set={"x": 1}),
        ],
        place=places.of,
    )

    events = [
        json.loads(text)
        for (text,) in rows(
            store,
            "SELECT properties FROM events WHERE project_id = ? ORDER BY event",
            project.id,
        )
    ]
    assert FOUND.items() <= events[0].items()
    assert events[1]["$geoip_country_code"] == "FR"
    ((text,),) = rows(
        store, "SELECT properties FROM persons WHERE project_id = ?", project.id
    )
    person = json.loads(text)
    assert person["$geoip_country_code"] == "FR"
    assert person["$geoip_city_name"] == "Oxford"
    first = {name.replace("$geoip", "$initial_geoip"): one for name, one in FOUND.items()}
    assert first.items() <= person.items()


@pytest.mark.parametrize("content", [None, b"no places"], ids=["missing", "other format"])
def test_a_file_that_cannot_be_read_stops_the_start(tmp_path, content):
    path = tmp_path / "x.mmdb"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(BadSetting, match="HEDGEROW_GEOIP_DB"):
        Places(str(path))


def test_without_a_file_nothing_is_known():
    assert Places("").of("192.0.2.77") == {}
