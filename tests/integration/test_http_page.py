"""How the page is served: what may be kept, for how long, and what it may do."""

import gzip
import re

import pytest

from app.controllers.web_files import FOLDER
from tests.http_api import Api, api_behind


@pytest.fixture(scope="module")
def api(postgres_url, redis_url, tmp_path_factory):
    with api_behind(postgres_url, redis_url, tmp_path_factory.mktemp("page")) as api:
        yield api


def addresses(api: Api) -> list[str]:
    """What the page names."""
    return re.findall(r'(?:href|src)="(/[^"]+)"', api.client.get("/").text)


def test_the_page_names_only_what_is_there(api: Api):
    answers = {address: api.client.get(address) for address in addresses(api)}
    assert {answer.status_code for answer in answers.values()} == {200}
    assert len(answers) > 10


def test_what_a_page_is_made_of_is_kept_for_ever_and_the_page_itself_asked_for_again(api: Api):
    script = next(address for address in addresses(api) if address.endswith("main.js"))
    assert "immutable" in api.client.get(script).headers["Cache-Control"]
    older = re.sub(r"/web/\w+/", "/web/older/", script)
    assert api.client.get(older).headers["Cache-Control"] == "no-cache"
    page = api.client.get("/")
    assert page.headers["Cache-Control"] == "no-cache"
    assert api.client.get("/", headers={"If-None-Match": page.headers["ETag"]}).status_code == 304


def test_files_have_their_types_and_come_compressed_to_those_who_take_it(api: Api):
    for address in addresses(api):
        plain, packed = (api.client.get(address, headers=asked) for asked in ({}, {"Accept-Encoding": "gzip, br"}))
        if packed.headers.get("Content-Encoding") == "gzip":
            assert gzip.decompress(packed.data) == plain.data
        kind = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}.get(address.rsplit(".", 1)[-1])
        assert kind is None or plain.mimetype == kind


def test_the_page_may_run_and_reach_nothing_but_the_service(api: Api):
    policy = api.client.get("/").headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy


def test_nothing_of_the_page_comes_from_elsewhere():
    comments = re.compile(r"^\s*(//|\*).*$", flags=re.MULTILINE)
    for file in FOLDER.rglob("*.*"):
        text = comments.sub("", file.read_text(encoding="utf-8").replace("http://www.w3.org/", ""))
        assert not re.search(r"(https?:)?//[\w-]+\.\w{2,}", text), file


@pytest.mark.parametrize("name", ["nothing.js", "../web_files.py", "js/../../api.py", "%2e%2e/api.py"])
def test_only_its_own_files_are_served(api: Api, name):
    assert api.client.get(f"/web/x/{name}").status_code == 404


def texts_of(language: str) -> list[str]:
    """The names of all that the page can say, in their order."""
    return re.findall(
        r'^  "?([\w.]+)"?: ', (FOLDER / f"js/lang/{language}.js").read_text(encoding="utf-8"), re.MULTILINE
    )


def test_each_text_is_there_in_both_languages():
    assert texts_of("en") == texts_of("fr")


def test_each_text_that_is_asked_for_is_there():
    scripts = "\n".join(file.read_text(encoding="utf-8") for file in FOLDER.rglob("*.js"))
    asked = set(re.findall(r'\bt\("([\w.]+)"', scripts))
    assert asked
    assert asked <= set(texts_of("en"))
