"""Archives that are not what they should be."""

import stat
import zipfile

import pytest

from app.engines.weights.errors import WeightsError
from app.engines.weights.unpack import unpack


@pytest.fixture
def archive(tmp_path):
    return tmp_path / "model.zip"


def pack(archive, **entries):
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, content in entries.items():
            opened.writestr(name, content)


def test_the_folder_in_an_archive_is_unpacked(archive, tmp_path):
    pack(archive, **{"model/am/final.mdl": "weights", "model/README": "read me"})
    folder = unpack(archive, tmp_path / "out")
    assert folder == tmp_path / "out" / "model"
    assert (folder / "am" / "final.mdl").read_text() == "weights"


def test_what_an_earlier_try_left_is_not_mixed_in(archive, tmp_path):
    pack(archive, **{"model/new": "new"})
    (tmp_path / "out" / "other").mkdir(parents=True)
    assert [path.name for path in unpack(archive, tmp_path / "out").iterdir()] == ["new"]


@pytest.mark.parametrize("name", ["../evil", "model/../../evil", "/tmp/evil", "model\\..\\..\\evil", "C:evil"])
def test_nothing_is_written_outside_of_the_folder(archive, tmp_path, name):
    pack(archive, **{"model/good": "good", name: "evil"})
    with pytest.raises(WeightsError, match="outside"):
        unpack(archive, tmp_path / "out")
    assert list(tmp_path.iterdir()) == [archive]


def test_links_are_refused(archive, tmp_path):
    link = zipfile.ZipInfo("model/link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr(link, "/etc/passwd")
    with pytest.raises(WeightsError, match="outside"):
        unpack(archive, tmp_path / "out")


def test_a_bomb_is_not_unpacked(archive, tmp_path):
    pack(archive, **{"model/zeros": b"\0" * 50_000_000})
    with pytest.raises(WeightsError, match="50 MB"):
        unpack(archive, tmp_path / "out")


def test_what_is_no_archive_is_refused(archive, tmp_path):
    archive.write_bytes(b"<html>not found</html>")
    with pytest.raises(WeightsError, match="cannot be unpacked"):
        unpack(archive, tmp_path / "out")


def test_a_damaged_archive_is_refused(archive, tmp_path):
    pack(archive, **{"model/am/final.mdl": "weights" * 1000})
    damaged = bytearray(archive.read_bytes())
    damaged[60] ^= 0xFF
    archive.write_bytes(damaged)
    with pytest.raises(WeightsError, match="cannot be unpacked"):
        unpack(archive, tmp_path / "out")


@pytest.mark.parametrize("entries", [{}, {"file": "x"}, {"a/x": "x", "b/x": "x"}])
def test_an_archive_holds_exactly_one_folder(archive, tmp_path, entries):
    pack(archive, **entries)
    with pytest.raises(WeightsError, match="exactly one folder"):
        unpack(archive, tmp_path / "out")
