"""Which texts a fleet's versions are spelled as: asked before any figure (``fleet`` §1.5).

How often a text was said matters only where a version has several spellings; then those
alone are counted, in the events.
"""

from collections import defaultdict

import msgspec

from hedgerow.insights.fleet.params import Asked
from hedgerow.insights.fleet.reports import counts, texts
from hedgerow.insights.results import Run
from hedgerow.insights.shown import written
from hedgerow.model.projects import QueryContext
from hedgerow.model.versions import Key, parse


def with_spellings(asked: Asked, run: Run) -> QueryContext:
    """Return the context with every version text up to the moment asked about."""
    context = asked.context
    found = [str(text) for (text,) in run(written(texts(asked), context)).rows]
    spelled = dict.fromkeys(sorted(found), 0)
    alike = _alike(found, asked)
    if alike:
        rows = run(written(counts(asked, alike), context)).rows
        spelled |= {str(text): int(count) for text, count in rows}
    return msgspec.structs.replace(context, spellings=spelled)


def _alike(found: list[str], asked: Asked) -> list[str]:
    """Return the texts that say the same version as another one."""
    same: dict[Key, list[str]] = defaultdict(list)
    for text in found:
        key = parse(text, asked.settings.version_scheme).key
        if key is not None:
            same[key].append(text)
    listed = {
        parse(one.version, asked.settings.version_scheme).key
        for one in asked.settings.releases
    }
    several = [all_ for key, all_ in same.items() if len(all_) > 1 and key not in listed]
    return sorted(text for all_ in several for text in all_)
