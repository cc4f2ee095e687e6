"""What SDKs ask before and beside sending events: flags, configuration, surveys, scripts.

Hedgerow has no feature flags, no replay and no surveys, yet every SDK asks for them and
some complain or stop without an answer. So each question gets the empty answer that keeps
its asker quiet. What is left out matters as much as what is said: ``surveys: false`` makes
posthog-js load a script, an empty ``supportedCompression`` turns off its compression.
"""

import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec

from hedgerow.capture import wire
from hedgerow.capture.answers import ACCEPTED, Answer, json_answer
from hedgerow.capture.intake import ProjectOf
from hedgerow.capture.requests import Asked, hints_of, payload_of
from hedgerow.capture.tokens import NAMES, checked_token, unknown_token
from hedgerow.errors import NotFound

CONFIG = re.compile(r"/array/(?P<token>[^/]+)/config(?P<script>\.js)?/?")
SCRIPT = re.compile(
    r"/static/(?:(?P<version>\d[\w.-]*)/(?P<file>[\w-][\w.-]*)|(?P<loose>"
    r"(?:array|recorder|surveys|toolbar|exception-autocapture|dead-clicks-autocapture|"
    r"web-vitals|tracing-headers|external-scripts-loader|lazy-recorder|posthog-recorder|"
    r"customizations|conversations|product-tours|module)[\w.-]*))\.js"
)
"""Files of posthog-js: those in a folder named by a version, and those known by name."""

METHODS: Mapping[str, tuple[str, ...]] = {
    "/flags": ("POST",),
    "/decide": ("POST",),
    "/flags/definitions": ("GET",),
    "/api/feature_flag/local_evaluation": ("GET",),
    "/api/surveys": ("GET",),
    "/s": ("POST",),
    "/i/v1/traces": ("POST",),
    "/i/v1/logs": ("POST",),
    "/i/v1/metrics": ("POST",),
}
"""Fixed paths, without their final slash."""

_JAVASCRIPT = b"application/javascript"
_LASTS_AN_HOUR = ((b"cache-control", b"public, max-age=3600"),)
_SHORT_LIVED = ((b"cache-control", b"no-cache"),)

_REMOTE_CONFIG: Mapping[str, Any] = {
    "supportedCompression": ["gzip", "gzip-js"],
    "hasFeatureFlags": False,
    "analytics": {"endpoint": "/i/v0/e/"},
    "elementsChainAsString": True,
    "defaultIdentifiedOnly": True,
    "autocapture_opt_out": False,
    "autocaptureExceptions": False,
    "captureDeadClicks": False,
    "capturePerformance": False,
    "heatmaps": False,
    "sessionRecording": False,
    "siteApps": [],
    "isAuthenticated": False,
    "toolbarParams": {},
}
_OF_DECIDE: Mapping[str, Any] = {
    "featureFlags": {},
    "featureFlagPayloads": {},
    "supportedCompression": ["gzip", "gzip-js"],
    "sessionRecording": False,
    "siteApps": [],
    "isAuthenticated": False,
    "toolbarParams": {},
    "config": {"enable_collect_everything": True},
    "analytics": {"endpoint": "/i/v0/e/"},
    "elementsChainAsString": True,
}
_NO_DEFINITIONS = json_answer({"flags": [], "group_type_mapping": {}, "cohorts": {}})
_NO_SURVEYS = json_answer({"surveys": []})
_NOTHING = json_answer({})

_NOT_INSTALLED = Answer(
    200,
    b"""console.error("Hedgerow: no event is sent, since posthog-js is not installed on "
  + "this server. Copy the dist folder of the npm package posthog-js into the folder "
  + "'static' of Hedgerow's data; docs/how-to/javascript.md says how.");
""",
    _JAVASCRIPT,
    _SHORT_LIVED,
)
"""In place of ``array.js``: a snippet that silently sends nothing is worse than an error."""


class Sdk:
    """Answers everything that is not about events."""

    def __init__(self, project_of: ProjectOf, scripts: Path) -> None:
        """``scripts`` is the folder into which the operator may put posthog-js."""
        self._project_of = project_of
        self._scripts = scripts
        self._answers: Mapping[str, Callable[[Asked], Answer]] = {
            "/flags": self._flags,
            "/decide": self._decide,
            "/flags/definitions": lambda _: _NO_DEFINITIONS,
            "/api/feature_flag/local_evaluation": lambda _: _NO_DEFINITIONS,
            "/api/surveys": lambda _: _NO_SURVEYS,
            "/s": lambda _: ACCEPTED,
            "/i/v1/traces": lambda _: _NOTHING,
            "/i/v1/logs": lambda _: _NOTHING,
            "/i/v1/metrics": lambda _: _NOTHING,
        }

    def answer(self, request: Asked) -> Answer:
        """Return the answer to a request with its body. Raises BadCapture, NotFound."""
        fixed = self._answers.get(request.path)
        if fixed is not None:
            return fixed(request)
        if found := CONFIG.fullmatch(request.path):
            return self._config(found["token"], as_script=bool(found["script"]))
        return self._script(request.path)

    def _flags(self, request: Asked) -> Answer:
        token = self._known_token(request)
        wants_config = request.query.get("config") == "true"
        return json_answer({**(_config_of(token) if wants_config else {}), **_no_flags()})

    def _decide(self, request: Asked) -> Answer:
        self._known_token(request)
        return json_answer({**_OF_DECIDE, **_no_flags()})

    def _known_token(self, request: Asked) -> str:
        fields = wire.asked_fields(hints_of(request, "v0"), payload_of(request))
        named = next((fields[name] for name in NAMES if fields.get(name)), None)
        token = checked_token(named or request.query.get("token"))
        if self._project_of(token) is None:
            raise unknown_token(token)
        return token

    def _config(self, token: str, *, as_script: bool) -> Answer:
        if self._project_of(token) is None:
            raise NotFound(
                f"No project has the token {token!r:.80}.",
                hint="Copy the token from the project's settings.",
            )
        if not as_script:
            return json_answer(_config_of(token))
        held = msgspec.json.encode({token: {"config": _config_of(token), "siteApps": []}})
        script = b"(function(){window._POSTHOG_REMOTE_CONFIG=Object.assign(%s,%s)})();" % (
            b"window._POSTHOG_REMOTE_CONFIG||{}",
            held.replace(b"<", rb"\u003c"),
        )
        return Answer(200, script, _JAVASCRIPT, _SHORT_LIVED)

    def _script(self, path: str) -> Answer:
        """Return a file of posthog-js: of the asked version, else the one there is."""
        found = SCRIPT.fullmatch(path)
        name = f"{found['file'] or found['loose']}.js" if found else ""
        version = found["version"] if found else None
        folders = [self._scripts / version] if version else []
        for folder in (*folders, self._scripts):
            file = folder / name
            if name and file.is_file():
                return Answer(200, file.read_bytes(), _JAVASCRIPT, _LASTS_AN_HOUR)
        if name == "array.js":
            return _NOT_INSTALLED
        raise NotFound(f"There is no {path}.", hint="posthog-js does without it.")


def _config_of(token: str) -> dict[str, Any]:
    return {"token": token, **_REMOTE_CONFIG}


def _no_flags() -> dict[str, Any]:
    return {
        "flags": {},
        "errorsWhileComputingFlags": False,
        "requestId": str(uuid4()),
        "evaluatedAt": time.time_ns() // 1_000_000,
    }
