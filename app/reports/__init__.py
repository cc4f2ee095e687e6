"""One question, one answer: screen, export and API ask here."""
