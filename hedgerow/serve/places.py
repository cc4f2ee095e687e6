"""Where an address is: looked up in a file the operator brought, never over the network."""

from collections.abc import Mapping
from typing import Any

import maxminddb

from hedgerow.errors import BadSetting

SUBDIVISIONS = 3
"""Parts of a country, one within the other, that an event names."""


class Places:
    """A MaxMind-format file of cities or countries; without one, nothing is known."""

    def __init__(self, path: str) -> None:
        """Raises BadSetting when the file cannot be read."""
        self._reader: Any = None
        if not path:
            return
        try:
            self._reader = maxminddb.open_database(path)
        except (OSError, maxminddb.InvalidDatabaseError) as error:
            raise BadSetting(
                f"HEDGEROW_GEOIP_DB {path!r} cannot be read: {error}.",
                hint="Name a .mmdb file, or leave it empty.",
            ) from error

    def of(self, address: str) -> Mapping[str, Any]:
        """Return ``$geoip_…`` properties of an IP address; empty: not known."""
        try:
            found = self._reader.get(address) if self._reader else None
        except ValueError:  # no address at all
            return {}
        if not isinstance(found, dict):
            return {}
        place = found.get("location") or {}
        known = {
            "$geoip_city_name": _name(found.get("city")),
            "$geoip_country_name": _name(found.get("country")),
            "$geoip_country_code": (found.get("country") or {}).get("iso_code"),
            "$geoip_continent_name": _name(found.get("continent")),
            "$geoip_continent_code": (found.get("continent") or {}).get("code"),
            "$geoip_postal_code": (found.get("postal") or {}).get("code"),
            "$geoip_latitude": place.get("latitude"),
            "$geoip_longitude": place.get("longitude"),
            "$geoip_accuracy_radius": place.get("accuracy_radius"),
            "$geoip_time_zone": place.get("time_zone"),
        }
        for number, part in enumerate((found.get("subdivisions") or ())[:SUBDIVISIONS], 1):
            known[f"$geoip_subdivision_{number}_code"] = part.get("iso_code")
            known[f"$geoip_subdivision_{number}_name"] = _name(part)
        return {name: value for name, value in known.items() if value is not None}

    def close(self) -> None:
        """Let go of the file."""
        if self._reader is not None:
            self._reader.close()


def _name(part: Any) -> str | None:
    names = (part or {}).get("names") or {}
    name: str | None = names.get("en")
    return name
