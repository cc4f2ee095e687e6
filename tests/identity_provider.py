"""An identity provider on loopback, for the tests of both programs."""

import base64
import hashlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey


class Provider:
    """An OpenID provider: RS256, PKCE checked, and every way to be wrong."""

    def __init__(self):
        self.claims = {"sub": "s-1", "preferred_username": "ann", "name": "Ann Lee",
                       "email": "ann@example.org", "email_verified": True, "groups": []}  # fmt: skip
        self.userinfo, self.change, self.codes, self.asked = {}, {}, {}, []
        self.with_id_token = True
        self.rotate()
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                provider.asked.append(self.path)
                self.say(provider.give(self.path))

            def do_POST(self):
                provider.asked.append(self.path)
                length = int(self.headers["Content-Length"])
                fields = parse_qs(self.rfile.read(length).decode())
                self.say(provider.token({k: v[0] for k, v in fields.items()}))

            def say(self, answer):
                self.send_response(200 if answer is not None else 400)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(json.dumps(answer or {"error": "invalid_grant"}).encode())

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.issuer = self.url
        serve = self._server.serve_forever
        threading.Thread(target=serve, args=(0.01,), daemon=True).start()

    def rotate(self):
        self.key = RSAKey.generate_key(
            2048, {"kid": f"k{time.monotonic_ns()}", "use": "sig"}
        )

    def give(self, path):
        if path == "/.well-known/openid-configuration":
            return {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "userinfo_endpoint": f"{self.url}/userinfo",
                "jwks_uri": f"{self.url}/jwks",
                "id_token_signing_alg_values_supported": ["RS256"],
            }
        if path == "/jwks":
            return {"keys": [self.key.as_dict(private=False)]}
        return {"sub": self.claims["sub"], **self.userinfo}

    def authorize(self, address):
        """Let somebody sign in at the provider; return what it sends back."""
        asked = {k: v[0] for k, v in parse_qs(urlsplit(address).query).items()}
        assert asked["code_challenge_method"] == "S256"
        code = f"code-{len(self.codes)}"
        self.codes[code] = asked
        return {"code": code, "state": asked["state"]}

    def token(self, fields):
        asked = self.codes.pop(fields["code"])
        digest = hashlib.sha256(fields["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if challenge != asked["code_challenge"]:
            return None
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": asked["client_id"], "iat": now, "exp": now + 300,
                  "nonce": asked["nonce"], **self.claims, **self.change}  # fmt: skip
        answer = {"access_token": "t", "token_type": "Bearer", "expires_in": 300}
        if self.with_id_token:
            header = {"alg": "RS256", "kid": self.key.kid}
            answer["id_token"] = jwt.encode(header, claims, self.key)
        return answer

    def close(self):
        self._server.shutdown()
        self._server.server_close()
