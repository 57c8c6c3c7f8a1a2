"""What is said of URLs by their looks."""

import pytest

from app.domain.errors import UrlRefused
from app.outbound.urls import checked_url, file_name, host_of, without_secrets


@pytest.mark.parametrize(
    "url",
    [
        "",
        "a.wav",
        "/etc/passwd",
        "//example.com/a.wav",
        "file:///etc/passwd",
        "ftp://example.com/a.wav",
        "gopher://example.com/",
        "data:audio/wav;base64,AAAA",
        "javascript:alert(1)",
        "http://",
        "http:///a.wav",
        "http://me:pw@example.com/",
        "http://me@example.com/",
        "http://example.com:99999/",
        "http://example.com:0/",
        "http://exa mple.com/",
        "http://example.com/\r\nX-Evil: 1",
        "http://[::1/",
        "http://" + "a" * 5000,
    ],
)
def test_what_could_not_be_gone_to_is_refused(url):
    with pytest.raises(UrlRefused):
        checked_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com",
        "https://example.com:8443/a%20b.wav?sig=1#x",
        "HTTP://EXAMPLE.COM/",
        "https://bücher.example/a",
    ],
)
def test_http_urls_are_taken(url):
    assert checked_url(url).host


def test_a_refusal_repeats_no_credentials():
    with pytest.raises(UrlRefused) as raised:
        checked_url("http://me:hunter2@example.com/")
    assert "hunter2" not in str(raised.value)


def test_only_the_host_is_for_logs():
    assert host_of("https://me:pw@example.com/secret/path?sig=abc") == "example.com"
    assert host_of("https://example.com:8443/secret") == "example.com:8443"


def test_an_owner_is_shown_a_url_without_its_query():
    assert without_secrets("https://example.com:8443/hook?token=abc#x") == "https://example.com:8443/hook"


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://example.com/calls/12345.wav?sig=a/b.mp3", "12345.wav"),
        ("https://example.com/r%C3%A9union%20du%205.mp3", "réunion du 5.mp3"),
        ("https://example.com/", "recording"),
        ("https://example.com", "recording"),
        ("https://example.com/..%2F..%2Fetc%2Fpasswd", "passwd"),
        ("https://example.com/%00%0A", "recording"),
        ("https://example.com/...", "recording"),
    ],
)
def test_the_last_part_of_the_path_is_the_name(url, name):
    assert file_name(url) == name


def test_a_long_name_keeps_its_extension():
    name = file_name("https://example.com/" + "a" * 400 + ".wav")
    assert len(name) == 255
    assert name.endswith(".wav")
