"""What an application does with the Python SDK; runs under the newest and under an old one.

Arguments: the server's address, and ``{}`` or more options of the client as JSON.
"""

import json
import sys

import posthog

host, options = sys.argv[1], json.loads(sys.argv[2])
MODERN = hasattr(posthog, "identify_context")
client = posthog.Posthog("phc_test", host=host, **options)


def capture(distinct_id, event, **more):
    if MODERN:
        client.capture(event, distinct_id=distinct_id, **more)
    else:
        client.capture(distinct_id, event, **more)


capture("ann", "signed up", properties={"plan": "pro", "seats": 5.0, "odd": "\ud800"})
capture("ann", "in a group", properties={"n": 1}, groups={"company": "acme"})
capture("ann", "with person", properties={"$set": {"a": 1}, "$set_once": {"b": 2}})
client.alias("anon-77", "ann")
client.group_identify("company", "acme", {"name": "Acme", "seats": 20})
client.set(distinct_id="ann", properties={"email": "a@b.c"})
client.set_once(distinct_id="ann", properties={"first": "2026"})
if not MODERN:
    client.identify("ann", {"email": "a@b.c"})
for number in range(150):
    capture(f"bulk-{number}", "bulk", properties={"n": number})
flags = client.get_all_flags("ann")
client.shutdown()

quiet = posthog.Posthog("phc_test", host=host, disabled=True)
if MODERN:
    quiet.capture("never sent", distinct_id="ann")
else:
    quiet.capture("ann", "never sent")
quiet.shutdown()
print(json.dumps(flags))
