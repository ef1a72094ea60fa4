"""Who gets an answer, and who does not."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipeline.view import server as server_module
from pipeline.view.server import TOKEN_HEADER, Server
from tests.support.runs import mekong
from tests.view.folder import run_folder

JSON = {"Content-Type": "application/json"}


def ask(
    server: Server, method: str, path: str, body: bytes | None = None, *, host: str = "", **headers: str | None
) -> tuple[int, dict[str, str], bytes]:
    """An answer to a request with the right Host, token and, for POST, origin and type, each unless given."""
    port = server.server_address[1]
    given = {"Host": host or f"127.0.0.1:{port}", TOKEN_HEADER: server.token}
    if method == "POST":
        given |= {"Origin": f"http://{given['Host']}", **JSON}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    for name, value in given.items():
        if value is not None:
            connection.putheader(name, value)
    if body is not None and "Content_Length" not in headers:
        connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body)
    answer = connection.getresponse()
    found = answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    connection.close()
    return found


def decision(server: Server, pair: str = "p0", keep: bool | None = False) -> bytes:
    rows = json.loads(ask(server, "GET", "/pairs")[2])["rows"]
    text = next(row["text"] for row in rows if row["pair"] == pair)
    return json.dumps({"pair": pair, "text": text, "keep": keep}).encode()


def test_the_page_and_its_headers(server: Server) -> None:
    status, headers, page = ask(server, "GET", f"/?token={server.token}")
    assert status == 200 and b"<title>boats" in page and server.token.encode() not in page
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'") and "frame-ancestors 'none'" in policy and "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff" and headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store" and "Python" not in headers["server"]
    assert not re.search(rb"""(src|href)=["'](?!data:,)""", page), "the page loads nothing"
    status, headers, _ = ask(server, "GET", "/pairs")
    assert status == 200 and headers["content-type"] == "application/json"
    assert "default-src 'none'" in headers["content-security-policy"]


def test_only_this_address_is_answered(server: Server) -> None:
    port = server.server_address[1]
    assert server.server_address[0] == "127.0.0.1"
    assert ask(server, "GET", "/pairs", host=f"localhost:{port}")[0] == 200
    for host in (
        "127.0.0.1",
        "localhost",
        f"127.0.0.1:{port + 1}",
        f"evil.example:{port}",
        f"127.0.0.1:{port}.evil",
        "x",
    ):
        assert ask(server, "GET", "/pairs", host=host)[0] == 403, host
        assert ask(server, "GET", f"/?token={server.token}", host=host)[0] == 403, host
    assert ask(server, "GET", "/pairs", Host=None)[0] == 403
    with socket.create_connection(("127.0.0.1", port), timeout=5) as raw:
        line = f"Host: 127.0.0.1:{port}\r\n"
        raw.sendall(f"GET /?token={server.token} HTTP/1.1\r\n{line}{line}\r\n".encode())
        assert b" 403 " in raw.recv(100)


@pytest.mark.parametrize("token", [None, "", "x", "é", "A" * 43])
def test_nothing_without_the_token(server: Server, token: str | None) -> None:
    data = decision(server)
    assert ask(server, "GET", "/pairs", X_Mekong_Token=token)[0] == 403
    assert ask(server, "GET", f"/pairs?token={server.token}", X_Mekong_Token=token)[0] == 403
    assert ask(server, "POST", "/decisions", data, X_Mekong_Token=token)[0] == 403
    assert ask(server, "GET", "/" if token is None else f"/?token={'%C3%A9' if token == 'é' else token}")[0] == 403
    assert not server.review.decisions.path.exists()


@pytest.mark.parametrize(
    "path",
    ["/decisions", "/config.yaml", "/../config.yaml", "/..%2fconfig.yaml", "//etc/passwd", "/pairs/", "/pairs/..",
     "/%00", "http://evil.example/pairs", "*", "/favicon.ico"],
)  # fmt: skip
def test_there_is_nothing_else(server: Server, path: str) -> None:
    status, _, data = ask(server, "GET", path)
    assert status == 404 and b"filter" not in data
    assert ask(server, "POST", "/pairs", b"{}")[0] == 404
    for method in ("PUT", "DELETE", "OPTIONS", "HEAD", "TRACE"):
        assert ask(server, method, "/decisions")[0] == 404


def test_decisions_come_from_the_page_only(server: Server) -> None:
    data, path = decision(server), server.review.decisions.path
    for origin in (None, "null", "http://evil.example", "https://127.0.0.1", server.url):
        assert ask(server, "POST", "/decisions", data, Origin=origin)[0] == 403, origin
    for kind in (None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        assert ask(server, "POST", "/decisions", data, Content_Type=kind)[0] == 415, kind
    assert not path.exists()
    status, _, answer = ask(server, "POST", "/decisions", data)
    assert status == 200 and json.loads(answer)["progress"]["rejected"] == 1
    assert [json.loads(line)["pair"] for line in path.read_text().splitlines()] == ["p0"]


def test_bodies_that_are_too_long_or_wrong(server: Server) -> None:
    def status(body: bytes | None, **headers: Any) -> int:
        return ask(server, "POST", "/decisions", body, **headers)[0]

    assert status(None, Content_Length=str(10**9)) == 413
    assert status(None, Content_Length="9" * 5000) == 413
    assert status(None) == 411 and status(None, Content_Length="-1") == 411 and status(None, Content_Length="x") == 411
    assert status(b"5\r\n{}\r\n", Transfer_Encoding="chunked") == 411
    assert status(b"{") == 400 and status(b"[1]") == 400
    assert status(decision(server).replace(b'"text": "', b'"text": "0')) == 409
    assert (
        ask(server, "GET", "/pairs?limit=1&limit=2")[0] == 400
        and ask(server, "GET", "/pairs?" + "&".join("a" * 30))[0] == 400
    )
    assert not server.review.decisions.path.exists()


def test_a_decision_that_cannot_be_stored_is_told(server: Server) -> None:
    data = decision(server)
    server.review.decisions.path.mkdir()
    status, _, answer = ask(server, "POST", "/decisions", data)
    assert status == 500 and "decisions.jsonl" in json.loads(answer)["error"]


def test_slow_and_many_clients_do_not_hang_it(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "REQUEST_SECONDS", 0.3)
    idle = [
        socket.create_connection(server.server_address[:2], timeout=5) for _ in range(server_module.MAX_CONNECTIONS)
    ]
    idle[0].sendall(b"GET / HT")
    for client in idle:
        assert client.recv(10) == b"", "the server hangs up by itself"
        client.close()
    assert ask(server, "GET", "/pairs")[0] == 200


def test_the_command_prints_the_address_and_ends_with_a_summary(tmp_path: Path) -> None:
    out = run_folder(tmp_path / "run")
    # A parent that ignores SIGINT, as a shell does for what runs in its background, hands that down.
    program = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    program += "from pipeline.cli.main import main; main()"
    command = [sys.executable, "-c", program, "view", str(out)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout and process.stderr
        try:
            assert re.fullmatch(r"http://127\.0\.0\.1:\d+/\?token=[\w-]{43}\n", process.stdout.readline())
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 0
            assert "0 of 6 pairs decided" in process.stderr.read()
        finally:
            process.kill()


def test_folders_that_cannot_be_viewed_end_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert mekong(monkeypatch, "view", tmp_path) == 1
    assert "no run folder" in capfd.readouterr().err
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)
    assert mekong(monkeypatch, "view", run_folder(tmp_path / "run")) == 1
    assert "not writable" in capfd.readouterr().err
