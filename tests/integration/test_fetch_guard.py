"""Nothing that a client's URL says makes the service talk to what is not public."""

import socket
import ssl
import threading

import httpx
import pytest

from app.domain.errors import UrlRefused
from app.outbound.client import Outbound, Patience, reason_of
from app.outbound.guard import Guard
from app.outbound.urls import checked_url
from tests.outside import TLS, Exchange, outside

PATIENCE = Patience(total_s=5.0, connect_s=1.0, silence_s=1.0)
PUBLIC = "93.184.216.34"


def get(outbound: Outbound, url: str, redirects: int = 5) -> httpx.Response:
    with outbound.errand(PATIENCE, redirects=redirects) as client:
        return client.get(checked_url(url))


def knowing(**hosts: str | list[str]):
    """A resolver that knows these hosts (`_` stands for a dot); others as the system does."""
    known = {name.replace("_", "."): [found] if isinstance(found, str) else found for name, found in hosts.items()}

    def resolve(host: str, port: int) -> list[str]:
        if host in known:
            return known[host]
        return [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]

    return resolve


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "127.0.1",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "017700000001",
        "127.0.0.1.",
        "localhost",
        "LOCALHOST",
        "0.0.0.0",
        "0",
        "[::1]",
        "[::]",
        "[0:0:0:0:0:0:0:1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::127.0.0.1]",
        "[2002:7f00:1::]",
        "①②⑦.⓪.⓪.①",
        "127。0。0。1",
    ],
)
def test_this_machine_is_not_reached_however_it_is_written(world, host):
    world.on("/", lambda exchange: exchange.say(body=b"secret"))
    with pytest.raises((UrlRefused, httpx.TransportError)):
        get(Outbound(Guard()), f"http://{host}:{world.port}/")
    assert world.received == []


@pytest.mark.parametrize(
    "host", ["169.254.169.254", "[fd00:ec2::254]", "100.100.100.200", "10.0.0.1", "[fe80::1]", "224.0.0.1"]
)
def test_the_networks_own_addresses_are_refused_before_a_connection(host):
    with pytest.raises(UrlRefused):
        get(Outbound(Guard()), f"http://{host}/latest/meta-data/")


def test_a_name_that_leads_inside_is_refused(world):
    guard = Guard(resolve=knowing(inside_test="127.0.0.1"))
    with pytest.raises(UrlRefused) as raised:
        get(Outbound(guard), world.url(host="inside.test"))
    assert world.received == []
    assert "127.0.0.1" not in str(raised.value), "the answer would map our network"


def test_a_name_with_a_public_and_a_private_address_is_refused(world):
    guard = Guard(resolve=knowing(mixed_test=[PUBLIC, "127.0.0.1"]))
    with pytest.raises(UrlRefused):
        get(Outbound(guard), world.url(host="mixed.test"))
    assert world.received == []


def test_a_redirect_to_a_private_address_is_refused(world):
    world.on("/start", lambda exchange: exchange.say(302, Location=world.url("/secret", host="inside.test")))
    world.on("/secret", lambda exchange: exchange.say(body=b"secret"))
    seen = []

    def resolve(host: str, port: int) -> list[str]:
        seen.append(host)
        return ["127.0.0.1"] if host == "start.test" else ["10.0.0.1"]

    with pytest.raises(UrlRefused):
        get(Outbound(PublicFirst(resolve=resolve)), world.url("/start", host="start.test"))
    assert seen == ["start.test", "inside.test"]
    assert [one.path for one in world.received] == ["/start"]


class PublicFirst(Guard):
    """Takes this machine for a public one when it is called start.test, so that a redirect can begin there."""

    def addresses(self, host: str, port: int):
        if host == "start.test":
            return self.resolve(host, port)
        return Guard.addresses(self, host, port)


@pytest.mark.parametrize(
    "target",
    [
        "file:///etc/passwd",
        "ftp://example.com/",
        "gopher://127.0.0.1/",
        "http://me:pw@start.test/",
        "http:///",
        "//169.254.169.254/",
    ],
)
def test_a_redirect_to_what_would_not_be_taken_as_a_url_is_refused(world, target):
    world.on("/start", lambda exchange: exchange.say(302, Location=target))
    guard = PublicFirst(resolve=knowing(start_test="127.0.0.1"))
    with pytest.raises((UrlRefused, httpx.HTTPError)):
        get(Outbound(guard), world.url("/start", host="start.test"))
    assert len(world.received) == 1


def test_the_name_is_resolved_once_and_the_connection_goes_there(world):
    """DNS rebinding: a second look-up, which would lead elsewhere, never happens."""
    world.on("/", lambda exchange: exchange.say(body=b"here"))
    answers = iter([["127.0.0.1"]])
    guard = Guard(allow_private=True, resolve=lambda *_: next(answers))
    assert get(Outbound(guard), world.url(host="rebinding.test")).content == b"here"
    assert world.received[0].headers["host"] == f"rebinding.test:{world.port}"


def test_a_new_connection_is_looked_at_anew(world):
    def answer(exchange: Exchange) -> None:
        exchange.say(body=b"once")
        exchange.hang_up()

    world.on("/", answer)
    answers = iter([["127.0.0.1"], ["10.0.0.1"]])

    class FirstIsPublic(Guard):
        def addresses(self, host: str, port: int):
            found = next(answers)
            return found if found == ["127.0.0.1"] else Guard(resolve=lambda *_: found).addresses(host, port)

    with Outbound(FirstIsPublic()).errand(PATIENCE) as client:
        assert client.get(world.url(host="rebinding.test")).content == b"once"
        with pytest.raises(UrlRefused):
            client.get(world.url(host="rebinding.test"))


def test_the_next_address_is_tried_if_one_does_not_answer(world):
    world.on("/", lambda exchange: exchange.say(body=b"second"))
    guard = Guard(allow_private=True, resolve=knowing(two_test=["127.255.255.1", "127.0.0.1"]))
    assert get(Outbound(guard), world.url(host="two.test")).content == b"second"


def test_private_addresses_can_be_allowed(world):
    world.on("/", lambda exchange: exchange.say(body=b"fine"))
    assert get(Outbound(Guard(allow_private=True)), world.url()).content == b"fine"


@pytest.mark.parametrize(
    ("host", "is_listed"),
    [
        ("files.example.com", True),
        ("FILES.example.com", True),
        ("a.b.cdn.example.com", True),
        ("cdn.example.com", False),
        ("evilcdn.example.com", False),
        ("files.example.com.evil.test", False),
        ("127.0.0.1", False),
    ],
)
def test_only_listed_hosts_are_reached_if_there_is_a_list(world, host, is_listed):
    world.on("/", lambda exchange: exchange.say())
    guard = Guard(True, ("files.example.com", "*.cdn.example.com"), lambda *_: ["127.0.0.1"])
    if is_listed:
        assert get(Outbound(guard), world.url(host=host)).status_code == 200
    else:
        with pytest.raises(UrlRefused):
            get(Outbound(guard), world.url(host=host))


def test_redirects_have_an_end(world):
    world.on("/", lambda exchange: exchange.say(302, Location="/"))
    with pytest.raises(httpx.TooManyRedirects) as raised:
        get(Outbound(Guard(allow_private=True)), world.url(), redirects=5)
    assert len(world.received) == 6
    assert reason_of(raised.value) == "it redirects too often"


def test_the_body_of_a_redirect_is_not_read(world):
    def endless(exchange: Exchange) -> None:
        exchange.head(302, Location="/end")
        while True:
            exchange.write(b"x" * 65536)

    world.on("/", endless)
    world.on("/end", lambda exchange: exchange.say(body=b"end"))
    assert get(Outbound(Guard(allow_private=True)), world.url()).content == b"end"


def test_cookies_are_not_kept(world):
    world.on("/", lambda exchange: exchange.say(302, Location="/next", Set_Cookie="session=1; Path=/"))
    world.on("/next", lambda exchange: exchange.say())
    get(Outbound(Guard(allow_private=True)), world.url())
    assert [one.headers.get("cookie") for one in world.received] == [None, None]


def test_proxies_of_the_environment_are_not_used(world, monkeypatch):
    world.on("/", lambda exchange: exchange.say(body=b"direct"))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert get(Outbound(Guard(allow_private=True)), world.url()).content == b"direct"


@pytest.mark.parametrize("name", ["hang", "drip"])
def test_no_slowness_goes_beyond_the_whole_time(world, name):
    world.on("/", getattr(world, name))
    with Outbound(Guard(allow_private=True)).errand(Patience(0.4)) as client, pytest.raises(httpx.TimeoutException):
        client.get(world.url())


def test_headers_that_drip_do_not_go_beyond_the_whole_time():
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        over = threading.Event()

        def drip() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 200 OK\r\n")
                while not over.wait(0.05):
                    connection.sendall(b"X-More: 1\r\n")

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        with Outbound(Guard(allow_private=True)).errand(Patience(0.4)) as client, pytest.raises(httpx.TimeoutException):
            client.get(url)
        over.set()


@pytest.fixture
def secure_world():
    with outside(tls=True) as world:
        world.on("/", lambda exchange: exchange.say(body=b"secure"))
        yield world


def trusting() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=TLS / "cert.pem")


def test_tls_asks_for_the_name_and_not_for_the_address(secure_world):
    guard = Guard(allow_private=True, resolve=knowing(receiver_test="127.0.0.1"))
    assert get(Outbound(guard, trusting()), secure_world.url(host="receiver.test")).content == b"secure"


def test_a_certificate_for_another_name_is_refused(secure_world):
    guard = Guard(allow_private=True, resolve=knowing(other_test="127.0.0.1"))
    with pytest.raises(httpx.ConnectError) as raised:
        get(Outbound(guard, trusting()), secure_world.url(host="other.test"))
    assert reason_of(raised.value) == "the server's certificate is not valid"


def test_a_certificate_of_an_unknown_authority_is_refused(secure_world):
    guard = Guard(allow_private=True, resolve=knowing(receiver_test="127.0.0.1"))
    with pytest.raises(httpx.ConnectError):
        get(Outbound(guard), secure_world.url(host="receiver.test"))


def test_why_nothing_came_is_told_without_addresses():
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(httpx.ConnectError) as raised:
        get(Outbound(Guard(allow_private=True)), f"http://127.0.0.1:{port}/?sig=hunter2")
    assert reason_of(raised.value) == "the server cannot be reached"
    guard = Guard(resolve=knowing_nothing)
    with pytest.raises(httpx.ConnectError):
        get(Outbound(guard), "http://nowhere.test/")


def knowing_nothing(host: str, port: int) -> list[str]:
    raise socket.gaierror(socket.EAI_NONAME, "unknown")
