"""A product in Python that connects its accounts with Slack through a Foyer that runs beside it.

It needs only the standard library. `link_for` signs what Foyer needs to know; `read_result` verifies what comes back.
Run Foyer first (`npm start` here, or `foyer.ts`), with the same CONNECT_SECRET.
"""

import base64
import hashlib
import hmac
import html
import json
import os
import secrets
import time
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

FOYER = os.environ["FOYER_URL"]
SECRET = os.environ["CONNECT_SECRET"].encode()
HOST = os.environ["HOST_URL"]

# Who is logged in, by session, and which workspace each account has: a real product keeps both in its database.
sessions = {}
workspaces = {}


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def signature(text):
    return encode(hmac.new(SECRET, text.encode(), hashlib.sha256).digest())


def link_for(user, account):
    """Makes a link that connects a workspace with this account, and the id that its result will carry."""
    now = int(time.time())
    claims = {
        "aud": "foyer:connect",
        "sub": user,
        "org": account["id"],
        "label": account["name"],
        "return_to": HOST + "/slack/done",
        "jti": secrets.token_urlsafe(16),
        "iat": now,
        "exp": now + 600,
    }
    text = encode(b'{"alg":"HS256"}') + "." + encode(json.dumps(claims).encode())
    return f"{FOYER}/slack/install?connect={text}.{signature(text)}", claims["jti"]


def read_result(token):
    """Verifies a result. Raises ValueError unless Foyer signed it within the last five minutes."""
    text, _, given = token.rpartition(".")
    header, _, body = text.partition(".")
    if not hmac.compare_digest(given.encode(), signature(text).encode()):
        raise ValueError("the signature is wrong")
    if json.loads(decode(header)).get("alg") != "HS256":
        raise ValueError("the algorithm is another one")
    claims = json.loads(decode(body))
    if claims["aud"] != "foyer:result" or claims["exp"] <= time.time():
        raise ValueError("not a result, or expired")
    return claims


class Host(BaseHTTPRequestHandler):
    def do_GET(self):
        url = urlsplit(self.path)
        session = self.session()
        if url.path == "/login":  # stands in for your own login
            name = parse_qs(url.query)["as"][0]
            key = secrets.token_urlsafe(16)
            sessions[key] = {"user": name, "account": {"id": "org-" + name, "name": name + " Ltd"}}
            return self.answer(303, "", {"Location": "/", "Set-Cookie": f"session={key}; HttpOnly; SameSite=Lax"})
        if session is None:
            return self.answer(401, '<a href="/login?as=ada">Log in as Ada</a>')
        if url.path == "/slack/done":
            return self.connected(session, parse_qs(url.query).get("foyer_result", [""])[0])
        url, session["jti"] = link_for(session["user"], session["account"])
        workspace = workspaces.get(session["account"]["id"], "none")
        self.answer(200, f'<p>Workspace: {html.escape(workspace)}</p><a href="{html.escape(url)}">Connect Slack</a>')

    def connected(self, session, token):
        try:
            result = read_result(token)
        except (ValueError, KeyError):
            return self.answer(400, "That is not a result from Foyer.")
        # Without this line, a link to someone else's genuine result would connect their workspace here.
        if result["jti"] != session.pop("jti", None) or result["org"] != session["account"]["id"]:
            return self.answer(400, "That is not the install you started here.")
        if result["outcome"] != "installed":
            return self.answer(200, "Not connected: " + html.escape(result.get("error", "")))
        workspaces[result["org"]] = result["team_name"]
        self.answer(303, "", {"Location": "/"})

    def session(self):
        cookie = SimpleCookie(self.headers.get("Cookie", "")).get("session")
        return sessions.get(cookie.value) if cookie else None

    def answer(self, status, page, headers={}):
        body = page.encode()
        self.send_response(status)
        for name, value in {"Content-Type": "text/html; charset=utf-8", "Content-Length": len(body), **headers}.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass  # the addresses hold links and results


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("HOST_PORT", "8000"))), Host).serve_forever()
