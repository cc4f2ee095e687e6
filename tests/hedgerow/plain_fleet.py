"""Fleets of which everything is known, and the figures counted out by hand, day by day.

Written from the definitions alone: no code of the figures is used but the parsing of
versions, whose order has tests of its own.
"""

import random
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from hedgerow.model.versions import parse

START = date(2026, 1, 1)
DAYS = 60
RELEASES = {"1.0.0": 0, "1.1.0": 20, "1.2.0": 40}
"""Version to the day of its release."""

ODD = [
    "v1.0",
    "1.0.0+build.7",
    "a1b2c3d",
    "unknown",
    None,
    "1.1.0-rc.1",
    "1.2.0-dev",
    "1.1",
]
SILENT, GONE = 7, 30


def iso(day):
    return (START + timedelta(days=day)).isoformat()


def a_fleet(seed, size=14):
    """Return events of installations that update, go back, fall silent, and say odd things."""
    chance = random.Random(seed)
    events = [
        event
        for number in range(size)
        for event in an_installation(f"i{number:02}", chance)
    ]
    chance.shuffle(events)
    return events


def an_installation(who, chance):
    """Yield what one installation sends in its life."""
    begin = chance.randint(0, 35)
    end = chance.choice([DAYS, DAYS, chance.randint(begin, DAYS)])
    pace, habit = chance.choice([0.03, 0.1, 0.3]), chance.choice([1.0, 0.9, 0.4])
    pause = range(0)
    if chance.random() < 0.3:
        first = chance.randint(begin, DAYS)
        pause = range(first, first + chance.choice([8, 12, 31]))
    version = "1.0.0"
    for day in range(begin, end):
        newest = max((one for one, out in RELEASES.items() if out <= day), key=parse_key)
        if version != newest and chance.random() < pace:
            if chance.random() < 0.5:
                told = {"old_version": version, "new_version": newest}
                yield an_event(who, "telemetry.update", day, 5, told)
            version = newest
        elif chance.random() < 0.01:
            version = "1.0.0"
        if day not in pause and chance.random() < habit:
            said = chance.choice(ODD) if chance.random() < 0.06 else version
            for hour in sorted(chance.sample(range(6, 23), chance.choice([1, 1, 1, 2]))):
                yield an_event(who, "telemetry.health", day, hour, {"version": said})


def parse_key(text):
    return parse(text).key or ()


def an_event(who, name, day, hour, properties):
    at = datetime.combine(START, datetime.min.time(), UTC) + timedelta(days=day, hours=hour)
    return {
        "event": name,
        "distinct_id": who,
        "timestamp": at.isoformat(),
        "properties": properties,
    }


class Plain:
    """What is known of a fleet at the end of each day, by looking at every event."""

    def __init__(self, events):
        self.beats, self.said = {}, {}
        ordered = sorted(events, key=lambda one: one["timestamp"])
        for one in ordered:
            who, told = one["distinct_id"], one["properties"]
            day = (datetime.fromisoformat(one["timestamp"]).date() - START).days
            sides = [told.get("version")]
            if one["event"] == "telemetry.update":
                sides = [told["old_version"], told["new_version"]]
            else:
                self.beats.setdefault(who, set()).add(day)
            for text in sides:
                if parse(text).kind != "missing":
                    fresh = not (one["event"] == "telemetry.update" and text is sides[0])
                    self.said.setdefault(who, []).append((day, text, fresh))

    def last(self, who, day):
        return max((one for one in self.beats.get(who, ()) if one <= day), default=None)

    def active(self, day, window):
        found = []
        for who in sorted(self.beats):
            last = self.last(who, day)
            if last is not None and last > day - window:
                found.append(who)
        return found

    def version(self, who, day):
        """Return the text last said by the end of a day."""
        before = [text for at, text, _ in self.said.get(who, ()) if at <= day]
        return before[-1] if before else None

    def state(self, who, day):
        last = self.last(who, day)
        if last is None:
            return "never_reported"
        age = day - last
        return "reporting" if age < SILENT else "silent" if age < GONE else "gone"

    def states(self, day):
        known = {one for one, said in self.said.items() if said[0][0] <= day} | {
            one for one, beats in self.beats.items() if min(beats) <= day
        }
        found = [self.state(who, day) for who in known]
        return {
            one: found.count(one)
            for one in ("reporting", "silent", "gone", "never_reported")
        }

    def flow(self, first, last):
        """Return new, returned, went silent and went gone for each day."""
        rows = []
        for day in range(first, last + 1):
            counts = dict.fromkeys(("new", "returned", "went_silent", "went_gone"), 0)
            for who, beats in self.beats.items():
                before, now = self.state(who, day - 1), self.state(who, day)
                counts["new"] += min(beats) == day
                counts["returned"] += day in beats and before in {"silent", "gone"}
                counts["went_silent"] += before == "reporting" and now != "reporting"
                counts["went_gone"] += before != "gone" and now == "gone"
            rows.append(counts)
        return rows

    def versions(self, day, window):
        """Return how many are on each version, by its key; None: unknown, "": unordered."""
        counts = {}
        for who in self.active(day, window):
            text = self.version(who, day)
            place = None if text is None else parse(text).key or ""
            counts[place] = counts.get(place, 0) + 1
        return counts

    def adoption(self, version, until):
        out, key = RELEASES[version], parse(version).key
        rows = []
        for day in range(out, until + 1):
            keys = [parse(self.version(who, day)).key for who in self.active(day, 7)]
            known = [one for one in keys if one is not None]
            rows.append((sum(one >= key for one in known), len(known)))
        return rows

    def lag(self, version, until):
        """Return (days, updated) of everybody at risk."""
        out, key = RELEASES[version], parse(version).key
        times = []
        for who in self.active(out - 1, 7):
            before = parse(self.version(who, out - 1)).key
            if before is None or before >= key:
                continue
            days = [
                at
                for at, text, fresh in self.said[who]
                if fresh and out <= at <= until and (parse(text).key or ()) >= key
            ]
            if days:
                times.append((min(days) - out, True))
            else:
                times.append((max(0, self.last(who, until) - out), False))
        return sorted(times)

    def transitions(self, first, last):
        """Return how often each change of version happened, by the keys of both sides."""
        counts = {}
        for said in self.said.values():
            for (_, old, _), (day, new, _) in pairwise(said):
                pair = (parse(old).key or old, parse(new).key or new)
                if pair[0] != pair[1] and first <= day <= last:
                    counts[pair] = counts.get(pair, 0) + 1
        return counts
