"""Recordings come whole from servers that break off, change their minds, crawl, lie and hang."""

import io
import random
import wave
from pathlib import Path

import pytest

from app.domain.errors import Cancelled, DownloadDenied, DownloadFailed, NotAudio, TooLarge, UrlRefused
from app.outbound.client import Outbound
from app.outbound.guard import Guard
from app.services.media import fetch
from app.services.media.fetch import Fetcher, FetchLimits
from app.services.media.folder import FolderStorage
from tests.outside import Exchange, Outside, outside, slowly

TAG = '"v1"'


def recording(n_bytes: int = 400_000) -> bytes:
    """A WAV file of noise."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(16_000)
        sound.writeframes(random.Random(n_bytes).randbytes(n_bytes))
    return file.getvalue()


WAV = recording()


class Watch:
    """Notes what it is told; asks to stop once so many bytes are here."""

    def __init__(self, cancel_at_bytes: int | None = None):
        self.told: list[tuple[int, int | None]] = []
        self._cancel_at_bytes = cancel_at_bytes

    def fetching(self, n_bytes, total_bytes):
        self.told.append((n_bytes, total_bytes))

    def cancelled(self):
        return self._cancel_at_bytes is not None and any(n >= self._cancel_at_bytes for n, _ in self.told)


@pytest.fixture(autouse=True)
def _hurried(monkeypatch):
    monkeypatch.setattr(fetch, "PAUSE_S", 0.01)
    monkeypatch.setattr(fetch, "TELL_EVERY_S", 0.0)


@pytest.fixture
def storage(tmp_path):
    return FolderStorage(tmp_path)


@pytest.fixture
def fetcher(storage):
    def fetch_it(url: str, watch: Watch | None = None, **limits):
        limits = FetchLimits(**{"max_bytes": 10_000_000, "total_s": 20.0, "silence_s": 2.0} | limits)
        return Fetcher(Outbound(Guard(allow_private=True)), storage, limits).fetch(url, watch or Watch())

    return fetch_it


@pytest.fixture(autouse=True)
def _nothing_is_left_half_done(tmp_path):
    yield
    incoming = tmp_path / "incoming"
    assert not incoming.exists() or list(incoming.iterdir()) == []


def kept(tmp_path: Path) -> list[Path]:
    return [path for path in tmp_path.glob("[0-9a-f][0-9a-f]/*") if path.is_file()]


class Server:
    """Serves WAV in ranges, but each connection only so far; then in peace."""

    def __init__(self, breaks: list[int], *, body: bytes = WAV, **headers: str):
        self.breaks = list(breaks)
        self.body = body
        self.headers = headers or {"ETag": TAG}

    def __call__(self, exchange: Exchange) -> None:
        start, total = exchange.range_start or 0, len(self.body)
        rest = self.body[start:]
        said = {"Content-Length": str(len(rest)), **self.headers}
        if exchange.range_start is not None:
            said["Content-Range"] = f"bytes {start}-{total - 1}/{total}"
        exchange.head(206 if exchange.range_start is not None else 200, **said)
        exchange.write(rest[: self.breaks.pop(0)] if self.breaks else rest)
        exchange.hang_up()


def ranges(world: Outside) -> list[str | None]:
    return [one.headers.get("range") for one in world.received]


def test_a_recording_is_fetched_whole_and_kept(world, fetcher, storage):
    stored = fetcher(world.on("/a.wav", lambda exchange: exchange.say(body=WAV)))
    assert storage.open(stored.key).read() == WAV
    assert stored.size_bytes == len(WAV)


def test_a_broken_connection_is_gone_on_with_where_it_broke(world, fetcher, storage):
    stored = fetcher(world.on("/a.wav", Server([100_000, 50_000])))
    assert storage.open(stored.key).read() == WAV
    assert ranges(world) == [None, "bytes=100000-", "bytes=150000-"]
    assert [one.headers.get("if-range") for one in world.received] == [None, TAG, TAG]
    assert world.n_sent == len(WAV), "nothing is fetched twice"


def test_a_date_proves_as_well_as_a_tag_that_it_is_the_same(world, fetcher, storage):
    server = Server([100_000], **{"Last-Modified": "Sat, 21 Nov 2026 10:00:00 GMT"})
    stored = fetcher(world.on("/a.wav", server))
    assert storage.open(stored.key).read() == WAV
    assert ranges(world)[1] == "bytes=100000-"


@pytest.mark.parametrize("headers", [{"ETag": 'W/"v1"'}, {"X-Nothing": "1"}])
def test_without_proof_that_it_is_the_same_it_is_fetched_anew(world, fetcher, storage, headers):
    stored = fetcher(world.on("/a.wav", Server([100_000], **headers)))
    assert storage.open(stored.key).read() == WAV
    assert ranges(world) == [None, None]


def test_a_server_that_knows_no_ranges_is_read_from_the_start(world, fetcher, storage):
    breaks = [100_000]

    def answer(exchange: Exchange) -> None:
        exchange.head(Content_Length=str(len(WAV)), ETag=TAG)
        exchange.write(WAV[: breaks.pop()] if breaks else WAV)
        exchange.hang_up()

    stored = fetcher(world.on("/a.wav", answer))
    assert storage.open(stored.key).read() == WAV


def test_a_recording_that_was_replaced_meanwhile_is_not_mixed_with_the_old_one(world, fetcher, storage):
    new = recording(300_000)
    old = Server([100_000])

    def answer(exchange: Exchange) -> None:
        if len(world.received) == 1:
            old(exchange)
        else:
            exchange.say(body=new, ETag='"v2"')

    stored = fetcher(world.on("/a.wav", answer))
    assert storage.open(stored.key).read() == new


@pytest.mark.parametrize(
    "lie",
    [
        {"Content-Range": f"bytes 0-{len(WAV) - 1}/{len(WAV)}"},
        {"Content-Range": "bytes 100000-199999/999999"},
        {"Content-Range": "nonsense"},
        {"Content-Range": f"bytes 100000-{len(WAV) - 1}/{len(WAV)}", "ETag": '"v2"'},
        {},
    ],
)
def test_a_part_that_does_not_fit_is_not_taken(world, fetcher, storage, lie):
    honest = Server([100_000])

    def answer(exchange: Exchange) -> None:
        if exchange.range_start is None:
            honest(exchange)
        else:
            exchange.say(206, body=b"x" * 1000, **lie)

    stored = fetcher(world.on("/a.wav", answer))
    assert storage.open(stored.key).read() == WAV


def test_a_server_that_always_breaks_off_at_the_same_place_is_given_up(world, fetcher, tmp_path):
    with pytest.raises(DownloadFailed, match="the connection broke"):
        fetcher(world.on("/a.wav", Server([1000] * 50, **{"X-Nothing": "1"})))
    assert len(world.received) < 6
    assert kept(tmp_path) == []


def test_a_server_that_stumbles_is_asked_again(world, fetcher):
    def answer(exchange: Exchange) -> None:
        if len(world.received) < 3:
            exchange.say(503)
        else:
            exchange.say(body=WAV)

    assert fetcher(world.on("/a.wav", answer)).size_bytes == len(WAV)


def test_a_stumble_in_the_middle_does_not_lose_the_beginning(world, fetcher):
    server = Server([100_000])

    def answer(exchange: Exchange) -> None:
        exchange.say(502) if len(world.received) == 2 else server(exchange)

    fetcher(world.on("/a.wav", answer))
    assert ranges(world) == [None, "bytes=100000-", "bytes=100000-"]


@pytest.mark.parametrize("status", [500, 503, 429, 408])
def test_what_may_pass_is_worth_a_later_try(world, fetcher, status):
    with pytest.raises(DownloadFailed, match=str(status)) as raised:
        fetcher(world.on("/a.wav", lambda exchange: exchange.say(status)))
    assert raised.value.retryable


@pytest.mark.parametrize("status", [204, 304, 400, 401, 403, 404, 410])
def test_what_does_not_pass_is_told_at_once(world, fetcher, status):
    with pytest.raises(DownloadDenied, match=str(status)) as raised:
        fetcher(world.on("/a.wav", lambda exchange: exchange.say(status)))
    assert not raised.value.retryable
    assert len(world.received) == 1


def test_what_says_that_it_is_too_large_is_not_begun(world, fetcher, tmp_path):
    with pytest.raises(TooLarge):
        fetcher(world.on("/a.wav", lambda exchange: exchange.say(body=WAV)), max_bytes=100_000)
    assert kept(tmp_path) == []


def test_what_does_not_say_so_is_broken_off_when_it_is(world, fetcher, tmp_path):
    def endless(exchange: Exchange) -> None:
        exchange.head()
        exchange.write(WAV)
        while True:
            exchange.write(b"\0" * 65_536)

    with pytest.raises(TooLarge):
        fetcher(world.on("/a.wav", endless), max_bytes=1_000_000)
    assert kept(tmp_path) == []


@pytest.mark.parametrize(
    "body", [b"", b"<html>please log in</html>", b"#EXTM3U\nhttp://169.254.169.254/", b"%PDF-1.7" + b"\0" * 300_000]
)
def test_what_is_no_recording_is_refused_whatever_it_calls_itself(world, fetcher, tmp_path, body):
    url = world.on("/a.wav", lambda exchange: exchange.say(body=body, Content_Type="audio/wav"))
    with pytest.raises(NotAudio):
        fetcher(url)
    assert kept(tmp_path) == []


def test_what_is_no_recording_is_not_fetched_to_its_end(world, fetcher):
    page = b"<html>" + b"x" * 50_000_000
    with pytest.raises(NotAudio):
        fetcher(world.on("/a.wav", lambda exchange: exchange.say(body=page)), max_bytes=100_000_000)
    assert world.n_sent < len(page)


def test_compressed_answers_are_refused(world, fetcher):
    url = world.on("/a.wav", lambda exchange: exchange.say(body=WAV, Content_Encoding="gzip"))
    with pytest.raises(DownloadDenied, match="compressed"):
        fetcher(url)
    assert world.received[0].headers["accept-encoding"] == "identity"


def test_redirects_are_followed_to_the_recording(world, fetcher):
    world.on("/a.wav", lambda exchange: exchange.say(302, Location="/b.wav"))
    world.on("/b.wav", lambda exchange: exchange.say(body=WAV))
    assert fetcher(world.url("/a.wav")).size_bytes == len(WAV)


def test_redirects_without_end_fail(world, fetcher):
    with pytest.raises(DownloadDenied, match="redirects too often"):
        fetcher(world.on("/a.wav", lambda exchange: exchange.say(302, Location="/a.wav")))


def test_a_crawling_server_has_its_whole_time_and_no_more(world, fetcher, tmp_path):
    with pytest.raises(DownloadFailed, match="took too long"):
        fetcher(world.on("/a.wav", slowly(WAV, 1000, 0.05)), total_s=0.5)
    assert kept(tmp_path) == []


def test_a_silent_server_is_asked_again(world, fetcher):
    def answer(exchange: Exchange) -> None:
        world.hang(exchange) if len(world.received) == 1 else exchange.say(body=WAV)

    assert fetcher(world.on("/a.wav", answer), silence_s=0.2).size_bytes == len(WAV)


def test_a_download_stops_when_asked_to(world, fetcher, tmp_path):
    watch = Watch(cancel_at_bytes=50_000)
    with pytest.raises(Cancelled):
        fetcher(world.on("/a.wav", slowly(WAV, 10_000, 0.001)), watch)
    assert kept(tmp_path) == []
    assert world.n_sent < len(WAV)


def test_progress_is_told_in_bytes(world, fetcher):
    watch = Watch()
    fetcher(world.on("/a.wav", lambda exchange: exchange.say(body=WAV)), watch)
    assert watch.told[-1] == (len(WAV), len(WAV))
    assert watch.told == sorted(watch.told)


def test_what_may_not_be_reached_is_refused(world, storage):
    limits = FetchLimits(max_bytes=1_000_000, total_s=5)
    with pytest.raises(UrlRefused):
        Fetcher(Outbound(Guard()), storage, limits).fetch(world.url("/a.wav"), Watch())
    assert world.received == []


def test_an_unreachable_server_is_worth_a_later_try_and_no_query_is_shown(fetcher):
    with outside() as gone:
        url = gone.url("/a.wav?sig=hunter2")
    with pytest.raises(DownloadFailed, match="cannot be reached") as raised:
        fetcher(url)
    assert "hunter2" not in str(raised.value)
