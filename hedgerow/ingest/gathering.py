"""From the working state of a plan to the value that the store commits."""

from hedgerow.ingest.groups import Groups
from hedgerow.ingest.kinds import Kinds
from hedgerow.ingest.people import People
from hedgerow.model.changes import Changes


def gathered(people: People, groups: Groups, kinds: Kinds) -> Changes:
    """Return all differences to what is known; events and notes are the caller's."""
    changed = people.changed_ids()
    return Changes(
        persons=people.changed_persons(),
        gone=people.gone(),
        distinct_ids=changed,
        changed_hands=[(p, i) for p, i, _ in changed if (p, i) in people.known_keys],
        moved={k: people.final(k) for k in people.moved if k < people.first_new_key},
        states=people.final_states(),
        groups=groups.changed(),
        group_types=groups.new_types,
        kinds=kinds.new,
        next_key=people.next_key,
        new_from=people.first_new_key,
        next_state=people.next_state,
    )
