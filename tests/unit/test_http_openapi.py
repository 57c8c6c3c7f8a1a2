"""The OpenAPI document tells what is served, in the shapes that are checked and sent."""

import json
import re
import tomllib
from pathlib import Path

import pytest

from app import __version__
from app.domain.transcript import Segment, Speaker, Transcript, Word
from app.exports.wire import transcript_to_wire
from app.routes.openapi import openapi_document
from app.routes.table import ROUTES, SOCKETS
from app.schemas.answers import SegmentAnswer, SpeakerAnswer

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def document() -> dict:
    return openapi_document(ROUTES, SOCKETS)


def test_every_address_that_is_to_be_told_is_told(document):
    told = {(method.upper(), path) for path, operations in document["paths"].items() for method in operations}
    served = {(route.method, re.sub(r"<(\w+)>", r"{\1}", route.path)) for route in ROUTES if route.is_told}
    sockets = {("GET", re.sub(r"<(\w+)>", r"{\1}", socket.path)) for socket in SOCKETS}
    assert told == served | sockets


def test_every_reference_leads_somewhere(document):
    references = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(document)))
    assert references
    assert references == set(document["components"]["schemas"])


def test_each_operation_has_a_name_of_its_own(document):
    names = [operation["operationId"] for path in document["paths"].values() for operation in path.values()]
    assert len(names) == len(set(names))


def test_the_upload_is_told_with_its_file_and_its_fields(document):
    operation = document["paths"]["/api/batchTranscription/createJob"]["post"]
    fields = operation["requestBody"]["content"]["multipart/form-data"]["schema"]["properties"]
    assert fields["audioFile"]["format"] == "binary"
    assert {"audioUrl", "language", "wordTimestamps", "hotwords", "priority", "callbackUrl", "metadata"} <= set(fields)
    assert fields["priority"]["enum"] == ["high", "normal", "low"]
    assert {"202", "400", "409", "413", "415", "422", "429", "503"} == set(operation["responses"])


def test_the_parameters_of_a_query_are_told(document):
    parameters = {one["name"]: one for one in document["paths"]["/api/jobs"]["get"]["parameters"]}
    assert {"mode", "state", "q", "cursor", "limit"} == set(parameters)
    assert parameters["limit"]["schema"]["maximum"] == 200


def test_no_two_routes_take_the_same_requests():
    taken = [(route.method, route.path) for route in ROUTES]
    assert len(taken) == len(set(taken))


def test_what_is_sent_as_stored_has_the_shape_that_is_told():
    word = Word("hi", 0.0, 0.5, 0.9, "SPEAKER_00")
    heard = Transcript(
        (Segment(0, 0.0, 1.0, "hi", 0.9, None, (word,)),), (Speaker("SPEAKER_00", "Ann", 1.0),), "en", 1.0
    )
    sent = transcript_to_wire(heard)
    assert SegmentAnswer().validate(sent["segments"][0]) == {}
    assert SpeakerAnswer().validate(sent["speakers"][0]) == {}
    assert set(sent["segments"][0]) == set(SegmentAnswer().fields)
    assert set(sent["speakers"][0]) == set(SpeakerAnswer().fields)


def test_the_version_is_the_projects():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert __version__ == project["version"]
