"""Every figure of a fleet counted out by looping over its events: days of UTC, no SQL.

Written from the definitions alone. Only the parsing of versions is shared with the figures;
its order has tests of its own. ``Plain(events, releases, as_of)`` takes events as plain
dictionaries and answers with the parts of a figure that are counts.
"""

from bisect import bisect_right
from collections import Counter, defaultdict
from datetime import date, datetime, timedelta
from functools import cache
from itertools import pairwise
from statistics import median

from hedgerow.model.versions import parse

BEAT, INSTALL, UPDATE = "telemetry.health", "telemetry.install", "telemetry.update"
SILENT, GONE = 7, 30
OFFSETS = {
    "Europe/Berlin": "UTC+01:00",
    "America/New_York": "UTC-05:00",
    "UTC": "$utc_default",
    "America/Los_Angeles": "UTC-08:00",
    "Asia/Kolkata": "UTC+05:30",
    "Asia/Tokyo": "UTC+09:00",
    "Australia/Sydney": "UTC+10:00",
    "America/Sao_Paulo": "UTC-03:00",
}
BANDS = {"0": 0, "1-30": 30, "31-90": 90, "91-180": 180, "181-365": 365, "366+": 10**6}


@cache
def place(text):
    """Return what two spellings of one version share; None: it is missing."""
    found = parse(text)
    return None if found.kind == "missing" else found.key or text


def ordered(one):
    return isinstance(one, tuple)


class Plain:
    """The events of installations in production, in order of time."""

    def __init__(self, events, releases, as_of):
        told = sorted(events, key=lambda one: one["timestamp"])
        fleet = [one for one in told if one["event"] in {BEAT, INSTALL, UPDATE}]
        last = {one["distinct_id"]: one["properties"]["environment"] for one in fleet}
        kept = {who for who, where in last.items() if where == "production"}
        self.events = [one for one in told if one["distinct_id"] in kept]
        self.as_of = as_of
        self.releases = sorted((place(v), date.fromisoformat(d), v) for v, d in releases)
        self.beats, self.said = defaultdict(list), defaultdict(list)
        for one in self.events:
            who, at = one["distinct_id"], datetime.fromisoformat(one["timestamp"])
            if one["event"] == BEAT:
                self.beats[who].append((at, one["properties"]))
            if one["event"] in {BEAT, INSTALL}:
                self.said[who].append((at, one["properties"]["version"], False))
            elif one["event"] == UPDATE:
                self.said[who].append((at, one["properties"]["old_version"], True))
                self.said[who].append((at, one["properties"]["new_version"], False))
        self.days = {
            who: sorted({at.date() for at, _ in all_ if at.date() <= as_of})
            for who, all_ in self.beats.items()
        }
        self.known = {
            who: [(at.date(), place(text)) for at, text, _ in said if place(text)]
            for who, said in self.said.items()
        }

    def last(self, who, day):
        at = bisect_right(self.days[who], day)
        return self.days[who][at - 1] if at else None

    def active(self, day, window):
        since = day - timedelta(days=window)
        return [who for who in self.days if (self.last(who, day) or date.min) > since]

    def version(self, who, day):
        said = self.known[who]
        at = bisect_right(said, day, key=lambda one: one[0])
        return said[at - 1][1] if at else None

    def state(self, who, day):
        last = self.last(who, day)
        if last is None:
            return None
        age = (day - last).days
        return "reporting" if age < SILENT else "silent" if age < GONE else "gone"

    def active_figure(self, now):
        """Return the counts of windows; those of days end with the unfinished one."""
        lasts = [all_[-1][0] for all_ in self.beats.values()]
        told = {"daily": 1, "weekly": 7, "monthly": 30}
        found = {
            name: sum((now.date() - at.date()).days < width for at in lasts)
            for name, width in told.items()
        }
        return {"last_24h": sum(at >= now - timedelta(hours=24) for at in lasts), **found}

    def states(self):
        return Counter(filter(None, (self.state(who, self.as_of) for who in self.days)))

    def flow(self, since):
        rows = defaultdict(list)
        for ahead in range((self.as_of - since).days + 1):
            day = since + timedelta(days=ahead)
            counts = Counter()
            for who, days in self.days.items():
                before, now = self.state(who, day - timedelta(days=1)), self.state(who, day)
                counts["new"] += days[0] == day
                counts["returned"] += day in days and before in {"silent", "gone"}
                counts["went_silent"] += before == "reporting" and now != "reporting"
                counts["went_gone"] += before == "silent" and now == "gone"
                counts["reporting"] += now == "reporting"
                counts["silent"] += now == "silent"
            for name in (
                "new",
                "returned",
                "went_silent",
                "went_gone",
                "reporting",
                "silent",
            ):
                rows[name].append(counts[name])
        return rows

    def versions(self, window=30):
        return Counter(
            self.version(who, self.as_of) for who in self.active(self.as_of, window)
        )

    def week(self, begins):
        """Return how many reported in the seven days from one on, by version at its end."""
        ends = min(begins + timedelta(days=6), self.as_of)
        people = self.active(ends, (ends - begins).days + 1)
        return Counter(self.version(who, ends) for who in people)

    def adoption(self, version):
        key, first, _ = next(one for one in self.releases if one[2] == version)
        rows = []
        for ahead in range(min(90, (self.as_of - first).days) + 1):
            day = first + timedelta(days=ahead)
            told = [self.version(who, day) for who in self.active(day, 7)]
            rows.append(
                (sum(ordered(v) and v >= key for v in told), sum(map(ordered, told)))
            )
        return rows

    def lag(self, version):
        key, first, _ = next(one for one in self.releases if one[2] == version)
        eve, times = first - timedelta(days=1), []
        for who in self.active(eve, 7):
            before = self.version(who, eve)
            if not ordered(before) or before >= key:
                continue
            done = [
                at.date()
                for at, v, old in self.said[who]
                if first <= at.date() <= self.as_of and not old and (place(v) or ()) >= key
            ]
            last = max(0, (self.last(who, self.as_of) - first).days)
            times.append(((done[0] - first).days, True) if done else (last, False))
        return sorted(times)

    def steps(self, since):
        for who, said in self.said.items():
            told = [
                (at, place(v)) for at, v, _ in said if place(v) and at.date() <= self.as_of
            ]
            for (_, old), (at, new) in pairwise(told):
                if old != new and at.date() >= since:
                    yield who, at, old, new

    def downgrades(self, since):
        """Return (who, day, from, to, whether it followed an update within a week)."""
        rows, up = [], {}
        for who, at, old, new in self.steps(date.min):
            if new > old:
                up[who] = (at, old)
                continue
            when, origin = up.get(who, (None, None))
            soon = when is not None and at - when <= timedelta(days=7) and new <= origin
            if at.date() >= since:
                rows.append((who, at.date().isoformat(), old, new, soon))
        return sorted(rows, key=lambda one: (one[1], one[0]))

    def behind(self):
        """Return counts by releases behind, and the days each has had to update."""
        by_releases, days = Counter(), []
        for who in self.active(self.as_of, 30):
            version = self.version(who, self.as_of)
            if not ordered(version):
                continue
            above = [day for key, day, _ in self.releases if key > version]
            if version > self.releases[-1][0]:
                by_releases["ahead"] += 1
            else:
                by_releases[len(above)] += 1
            days.append((self.as_of - min(above)).days if above else 0)
        bands = Counter(next(n for n, most in BANDS.items() if one <= most) for one in days)
        return by_releases, median(days), bands

    def distribution(self, value):
        rows = Counter()
        for who in self.active(self.as_of, 30):
            told = [at_ for at, at_ in self.beats[who] if at.date() <= self.as_of]
            rows[value(told[-1])] += 1
        return rows

    def eol(self, ends):
        rows = Counter()
        for who in self.active(self.as_of, 30):
            version = self.version(who, self.as_of)
            if not ordered(version):
                rows["unknown"] += 1
                continue
            numbers = [str(one) for one in (*version[1], 0, 0)]
            names = [".".join(numbers[:n]) for n in (3, 2, 1)]
            rows[next((one for one in names if one in ends), None)] += 1
        return rows

    def survival(self):
        """Return (days followed, whether gone) by month of the first report."""
        months = defaultdict(list)
        for days in self.days.values():
            if days:
                gone = (self.as_of - days[-1]).days >= GONE
                months[days[0].strftime("%Y-%m")].append(((days[-1] - days[0]).days, gone))
        return months

    def errors(self, since):
        """Return (installations, days, errors, affected) by version."""
        exposure, faults = defaultdict(Counter), defaultdict(Counter)
        for who, days in self.days.items():
            for day in days:
                version = self.version(who, day)
                if day >= since and ordered(version):
                    exposure[version][who] += 1
        for one in self.events:
            day = datetime.fromisoformat(one["timestamp"]).date()
            told = one["properties"]
            if told.get("feature_category") == "error" and since <= day <= self.as_of:
                version = place(told["version"])
                if ordered(version):
                    faults[version][one["distinct_id"]] += told["occurrences"]
        return {
            version: (
                len(days),
                days.total(),
                faults[version].total(),
                len(faults[version]),
            )
            for version, days in exposure.items()
        }

    def features(self, event, since):
        """Return (installations, those that used it) by version at the end."""
        used = {
            (one["distinct_id"], place(one["properties"]["version"]))
            for one in self.events
            if one["event"] == event
            and since <= datetime.fromisoformat(one["timestamp"]).date() <= self.as_of
        }
        rows = defaultdict(lambda: [0, 0])
        for who in self.active(self.as_of, (self.as_of - since).days + 1):
            version = self.version(who, self.as_of)
            if ordered(version):
                rows[version][0] += 1
                rows[version][1] += (who, version) in used
        return {version: tuple(row) for version, row in rows.items()}

    def regularity(self):
        ratios, per_day, without = [], Counter(), 0
        start = self.as_of - timedelta(days=27)
        for who in self.active(self.as_of, 28):
            begin = max(self.days[who][0], start)
            heard = sum(begin <= day for day in self.days[who])
            ratios.append(heard / ((self.as_of - begin).days + 1))
            counts = Counter(at.date() for at, _ in self.beats[who])
            for day, count in counts.items():
                if start <= day <= self.as_of:
                    per_day[str(count) if count < 3 else "3+"] += 1
            told = [v for at, v in self.beats[who] if start <= at.date() <= self.as_of]
            without += sum(place(one["version"]) is None for one in told)
        return ratios, per_day, without

    def clones(self):
        """Return, by id, the days of the last fortnight on which it went back and forth."""
        found = {}
        names = ("version", "platform", "platform_machine", "deployment_method")
        for who, beats in self.beats.items():
            days = defaultdict(list)
            for at, told in beats:
                if self.as_of - timedelta(days=14) < at.date() <= self.as_of:
                    days[at.date()].append(tuple(told[name] for name in names))
            odd = [
                one for one in days.values() if sum(a != b for a, b in pairwise(one)) > 1
            ]
            if len(odd) > 1:
                found[who] = (len(odd), len(set().union(*odd)))
        return found

    def today(self, now):
        """Return how many reported so far, and which share of each of seven days had."""
        first = defaultdict(dict)
        for who, beats in self.beats.items():
            for at, _ in beats:
                first[at.date()].setdefault(who, at.time())
        before = [now.date() - timedelta(days=back) for back in range(1, 8)]
        shares = [
            sum(at <= now.time() for at in first[day].values()) / len(first[day])
            for day in before
        ]
        return len(first[now.date()]), shares
