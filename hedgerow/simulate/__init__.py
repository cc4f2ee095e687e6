"""A believable fleet of installations and its users, the same for the same seed.

The story: a self-hosted time tracker whose makers released eight versions. Installations
appear, report once a day at a minute of their own, update sooner or later or never, fall
silent, come back, and sometimes roll back. Their users find the product's pages without a
name, sign up, and work in the rhythm of their own time zone; some come back for months and
some do not.

``events`` yields every event in order of time, day by day, as plain dictionaries that a
capture endpoint takes; ``delivery`` sends them by that very path; ``totals`` counts them on
the way out, independently of any query, so that answers can be checked against what was made.
"""
