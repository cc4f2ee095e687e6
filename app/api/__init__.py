"""JSON for programs: ``/api/v1``.

``routes`` is the table of every address; ``serving`` makes Flask's routes of it,
``schema`` the OpenAPI document. Handlers are plain functions of a ``Call``.
"""

from app.api.serving import blueprint

__all__ = ["blueprint"]
