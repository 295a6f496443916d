"""Downloads from a server that behaves in every way: the right file, a stand-in with the cause, or an error."""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from formats import known_as, write_mnist

from twinvae import data
from twinvae.data import SETS, DataError, __main__, download, finding


class Server(BaseHTTPRequestHandler):
    """Serves the files of a folder as `how` says; counts what was asked for."""

    how, asked, folder = "whole", 0, None

    def do_GET(self):
        cls = type(self)
        cls.asked += 1
        body = (cls.folder / self.path.strip("/")).read_bytes()
        match cls.how:
            case "whole":
                self.answer(200, body)
            case "another file":
                self.answer(200, body[:-1] + bytes([body[-1] ^ 1]))
            case "a page":
                self.answer(200, b"<!DOCTYPE html><p>Log in first</p>")
            case "404" | "503":
                self.answer(int(cls.how), b"")
            case "503 once":
                self.answer(503 if cls.asked == 1 else 200, body)
            case "cut":
                self.answer(200, body[: len(body) // 2], length=len(body))
            case "loop":
                self.answer(302, b"", Location=self.path)
            case "to a file":
                self.answer(302, b"", Location="file:///etc/passwd")
            case "drip":
                self.answer(200, body[:9], length=len(body), more=b".", every=0.02)
            case "endless":
                self.answer(200, body, length=10_000 * len(body), more=body)
            case "silent":
                time.sleep(1)

    def answer(self, status, body, length=None, more=b"", every=0, **headers):
        self.send_response(status)
        for name, value in ({"Content-Length": str(length or len(body))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        try:
            self.wfile.write(body)
            while more:
                time.sleep(every)
                self.wfile.write(more)
        except OSError:
            pass  # the other side has had enough

    def log_message(self, *_):
        pass


@pytest.fixture
def served(data_root, empty_cache, tmp_path, monkeypatch):
    """A function: how the server of MNIST's files behaves -> its class; every wait is short."""
    for name, value in {"SILENT": 5, "PAUSES": (0, 0), "MINUTE": 0.2}.items():
        monkeypatch.setattr(download, name, value)
    for name in ("_announced", "_failed"):
        monkeypatch.setattr(finding, name, type(getattr(finding, name))())
    monkeypatch.setenv("TWINVAE_OFFLINE", "0")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    write_mnist(tmp_path / "served")
    handler = type("Handler", (Server,), {"folder": tmp_path / "served"})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/"
    monkeypatch.setitem(SETS, "mnist", known_as(SETS["mnist"], handler.folder, url=url))
    handler.close = staticmethod(lambda: (server.shutdown(), server.server_close()))
    yield lambda how: setattr(handler, "how", how) or handler
    server.server_close()


def left(cache):
    """The files, finished or not, in the cache."""
    return [path for path in cache.rglob("*") if path.is_file()]


@pytest.mark.parametrize("how", ["whole", "503 once"])
def test_a_file_that_comes_is_used(served, how):
    served(how)
    assert data.load("mnist").source.kind == "official"


@pytest.mark.parametrize(
    "how, cause, asked",
    [
        ("404", "says 404 Not Found", 1),
        ("503", "says 503 Service Unavailable", 3),
        ("cut", "broke off", 3),
        ("drip", "gave less than 1% of train-images-idx3-ubyte.gz in 0.2 s", 1),
        ("silent", "does not answer for 0.3 s", 1),
        ("gone", "there is no connection to http://127.0.0.1", 0),
    ],
)
def test_what_does_not_come_is_a_stand_in_that_says_why(served, empty_cache, capsys, monkeypatch, how, cause, asked):
    if how == "silent":
        monkeypatch.setattr(download, "SILENT", 0.3)
    if how == "drip":
        monkeypatch.setattr(download, "LEAST", 100)
        cause = cause.replace("1%", "10000%")
    server = served(how)
    if how == "gone":
        server.close()
    assert data.load("mnist").source.kind == "stand-in" and data.load("mnist", "test").source.kind == "stand-in"
    said = capsys.readouterr().out.splitlines()
    assert [cause in line for line in said] == [True] and server.asked == asked, said
    assert not left(empty_cache)
    assert __main__.main(["fetch", "mnist"]) == 1 and cause in capsys.readouterr().err


@pytest.mark.parametrize(
    "how, cause",
    [
        ("another file", "gives a file with sha256:.*, not train-images-idx3-ubyte.gz, which has sha256:"),
        ("a page", "gives a page of HTML or XML, not train-images-idx3-ubyte.gz"),
        ("loop", "leads to where nothing is fetched from .*redirects"),
        ("to a file", "leads to where nothing is fetched from .*file:///etc/passwd"),
        ("endless", "gives more than .* MB, not train-images-idx3-ubyte.gz, which has"),
    ],
)
def test_what_is_not_the_file_is_an_error_and_no_stand_in(served, empty_cache, how, cause):
    server = served(how)
    with pytest.raises(DataError, match=cause):
        data.load("mnist")
    assert not left(empty_cache) and server.asked <= 31


def test_a_cache_that_cannot_be_written_is_a_stand_in_that_says_why(served, empty_cache, capsys):
    served("whole")
    empty_cache.parent.mkdir(exist_ok=True)
    empty_cache.write_text("a file where the folder should be")
    assert data.load("mnist").source.kind == "stand-in"
    said = capsys.readouterr().out
    assert f"cannot write {empty_cache}" in said and "name another folder in XDG_CACHE_HOME" in said
    assert __main__.main(["fetch", "mnist"]) == 1
    said = capsys.readouterr().err
    assert "name another folder in XDG_CACHE_HOME" in said and "TWINVAE_RESULTS" not in said
