"""The page over HTTP, for one person on this machine.

Listens on 127.0.0.1 only. Every request needs the token of this process, and the Host header that the address of this
server gives, so that no web page can reach it through a name that it points here (DNS rebinding). Three things can be
asked for: `GET /`, `GET /pairs`, `POST /decisions`. No part of a request ever names a file.
"""

from __future__ import annotations

import hmac
import secrets
import socket
import sys
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from pipeline.errors import InputError, MekongError
from pipeline.files.store import to_json
from pipeline.report.page import standalone
from pipeline.view.review import Changed, Review

MAX_BODY = 1 << 16
MAX_CONNECTIONS = 32
REQUEST_SECONDS = 10.0
TOKEN_HEADER = "X-Mekong-Token"  # noqa: S105 - the name of a header
JSON, HTML = "application/json", "text/html; charset=utf-8"
HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Connection": "close",
}


class Refused(Exception):
    """A request that is not answered with what it asks for."""

    def __init__(self, status: HTTPStatus, why: str) -> None:
        super().__init__(why)
        self.status = status


class Server(ThreadingMixIn, TCPServer):
    """One page on a free port of the loopback address; `url` opens it."""

    daemon_threads = True
    request_queue_size = MAX_CONNECTIONS

    def __init__(self, review: Review) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.review = review
        self.token = secrets.token_urlsafe(32)
        port = self.server_address[1]
        self.hosts = (f"127.0.0.1:{port}", f"localhost:{port}")
        self.url = f"http://127.0.0.1:{port}/?token={self.token}"
        html, policy = standalone("view.html.j2", ("style.css", "view.css"), "view.js", name=review.config.name)
        self.page = html.encode()
        self.page_policy = f"{policy}; connect-src 'self'; img-src data:; frame-ancestors 'none'"
        self._free = threading.BoundedSemaphore(MAX_CONNECTIONS)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread of its own; beyond MAX_CONNECTIONS hang up, so that nothing can pile up."""
        if self._free.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer, and make room for the next request."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up or was too slow is not worth a word."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """One request; the connection ends with it."""

    server: Server
    timeout = REQUEST_SECONDS
    """Of one read or write."""

    def setup(self) -> None:
        """Begin, with a limit to the whole request."""
        super().setup()
        # A client that sends a byte now and then would outlast the timeout of a read.
        self._deadline = threading.Timer(REQUEST_SECONDS, self._hang_up)
        self._deadline.daemon = True
        self._deadline.start()

    def finish(self) -> None:
        """End, and lift the limit."""
        self._deadline.cancel()
        super().finish()

    def _hang_up(self) -> None:
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            return

    def do_GET(self) -> None:
        """The page, or pairs."""
        self._answer(self._get)

    def do_POST(self) -> None:
        """A decision."""
        self._answer(self._post)

    def _answer(self, work: Any) -> None:
        try:
            self._check_host()
            data, kind = work()
            self._send(HTTPStatus.OK, data, kind)
        except Refused as error:
            self._send_error(error.status, str(error))
        except InputError as error:
            self._send_error(HTTPStatus.BAD_REQUEST, str(error))
        except Changed as error:
            self._send_error(HTTPStatus.CONFLICT, str(error))
        except MekongError as error:
            self._send_error(HTTPStatus.INTERNAL_SERVER_ERROR, str(error))

    def _get(self) -> tuple[bytes, str]:
        url = urlsplit(self.path)
        if url.path == "/" and not url.netloc:
            self._check_token(self._parameters(url.query).get("token", ""))
            return self.server.page, HTML
        self._check_token(self.headers.get(TOKEN_HEADER, ""))
        if url.path != "/pairs" or url.netloc:
            raise Refused(HTTPStatus.NOT_FOUND, "there is nothing here")
        self._deadline.cancel()
        return to_json(self.server.review.pairs(self._parameters(url.query))), JSON

    def _post(self) -> tuple[bytes, str]:
        self._check_token(self.headers.get(TOKEN_HEADER, ""))
        if self.path != "/decisions":
            raise Refused(HTTPStatus.NOT_FOUND, "there is nothing here")
        if self.headers.get_all("Origin") != [f"http://{self.headers['Host']}"]:
            raise Refused(HTTPStatus.FORBIDDEN, "decisions are taken from the page of this server only")
        if self.headers.get_content_type() != JSON:
            raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"a decision is {JSON}")
        body = self._body()
        self._deadline.cancel()
        return to_json(self.server.review.decide(body)), JSON

    def _body(self) -> bytes:
        stated = self.headers.get_all("Content-Length", [])
        if len(stated) != 1 or not (stated[0].isascii() and stated[0].isdigit()) or "Transfer-Encoding" in self.headers:
            raise Refused(HTTPStatus.LENGTH_REQUIRED, "say how long the body is")
        size = int(stated[0][:20])
        if size > MAX_BODY:
            raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a decision has at most {MAX_BODY} bytes")
        body = self.rfile.read(size)
        if len(body) < size:
            raise Refused(HTTPStatus.BAD_REQUEST, f"the body ends after {len(body)} of {size} bytes")
        return body

    def _check_host(self) -> None:
        hosts = self.headers.get_all("Host", [])
        if len(hosts) != 1 or hosts[0] not in self.server.hosts:
            raise Refused(HTTPStatus.FORBIDDEN, f"this server is {self.server.hosts[0]}")

    def _check_token(self, token: str) -> None:
        if not hmac.compare_digest(token.encode("utf-8", "replace"), self.server.token.encode()):
            raise Refused(HTTPStatus.FORBIDDEN, "the token is missing or wrong: open the address that mekong view gave")

    @staticmethod
    def _parameters(query: str) -> dict[str, str]:
        try:
            found = parse_qsl(query, keep_blank_values=True, max_num_fields=20)
        except ValueError as error:
            raise Refused(HTTPStatus.BAD_REQUEST, "too many parameters") from error
        if len(dict(found)) < len(found):
            raise Refused(HTTPStatus.BAD_REQUEST, "a parameter is there twice")
        return dict(found)

    def _send_error(self, status: HTTPStatus, why: str) -> None:
        self._send(status, to_json({"error": why}), JSON)

    def _send(self, status: HTTPStatus, data: bytes, kind: str) -> None:
        self.send_response(status)
        policy = self.server.page_policy if kind == HTML else "default-src 'none'; frame-ancestors 'none'"
        for name, value in {**HEADERS, "Content-Security-Policy": policy}.items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What the base class refuses: a request that is not HTTP, or a method other than GET and POST."""
        unknown = code == HTTPStatus.NOT_IMPLEMENTED
        self.close_connection = True
        self._send_error(HTTPStatus.NOT_FOUND if unknown else HTTPStatus(code), message or "")

    def version_string(self) -> str:
        """The Server header, which needs to tell nobody the version of Python."""
        return "mekong"

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is logged: addresses hold the token."""
