"""Bytes to lines: compression, encodings, line ends and damage, the same for every reader."""

import bz2
import codecs
import gzip
import io
import lzma

import pytest
from chem.conftest import put
from hypothesis import given
from hypothesis import strategies as st

from molscore.chem.io import lines
from molscore.chem.io.lines import ERRORS, DamagedFile, check_encoding, opened, printable, read_lines, undecoded

TEXT = "µ one\ntwo é 分子\n\nlast"
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-le", "utf-16-be"]


def read(data: bytes, **options) -> list[str]:
    return list(read_lines(io.BytesIO(data), **options))


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_encodings_that_are_declared_in_the_file_or_seen(encoding, pack):
    text = TEXT.replace("µ", "a") if encoding in ("utf-16-le", "utf-16-be") else TEXT  # seen from zeros: no mark
    assert "".join(read(pack(text.encode(encoding)))) == text


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_overrides_the_declared_encoding(encoding):
    assert "".join(read(TEXT.encode(encoding), encoding="cp1252")) == TEXT


@pytest.mark.parametrize("mark", [codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE])
def test_byte_order(mark):
    encoding = {2: "utf-16-be", 4: "utf-32-be"}[len(mark)]
    assert "".join(read(mark + TEXT.encode(encoding))) == TEXT


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "mac-roman", "iso8859-15"])
def test_encodings_that_the_user_declares(encoding):
    data = "µ é\nplain\n".encode(encoding)
    assert read(data, encoding=encoding) == ["µ é\n", "plain\n"]
    first, second = read(data)
    assert undecoded(first) and not undecoded(second)
    assert first.encode("utf-8", ERRORS) == data.partition(b"\n")[0] + b"\n"
    assert "\\x" in printable(first) and printable(second) == second


@pytest.mark.parametrize("encoding", ["nothing", "rot13", "hex", "base64", "utf-9", ""])
def test_what_is_no_encoding_of_text_is_refused(encoding, tmp_path):
    with pytest.raises(ValueError, match="unknown encoding"):
        check_encoding(encoding)
    with pytest.raises(ValueError, match="unknown encoding"), opened(put(tmp_path, "a.smi", "C"), encoding=encoding):
        pass


@given(st.binary(max_size=80))
def test_bytes_that_do_not_decode_come_back(data):
    assert data.decode("utf-8", ERRORS).encode("utf-8", ERRORS) == data


@given(st.binary(max_size=60))
def test_no_bytes_are_an_error_of_another_kind(data):
    for encoding in (None, "utf-16", "cp1252"):
        try:
            assert isinstance("".join(read(data, encoding=encoding)), str)
        except DamagedFile as error:
            assert str(error)


@pytest.mark.parametrize(
    ("data", "universal", "sdf"),
    [
        (b"a\nb\r\nc", ["a\n", "b\r\n", "c"], ["a\n", "b\r\n", "c"]),
        (b"a\rb\nc\n", ["a\r", "b\n", "c\n"], ["a\rb\n", "c\n"]),  # a character of the line, if the file has \n
        (b"a\rb\rc", ["a\r", "b\r", "c"], ["a\n", "b\n", "c"]),
        (b"a\x0bb\x0c\xc2\x85\n", ["a\x0bb\x0c\x85\n"], ["a\x0bb\x0c\x85\n"]),
        (b"", [], []),
    ],
)
def test_line_ends(data, universal, sdf):
    assert read(data) == universal
    assert read(data, carriage_returns=False) == sdf


@pytest.mark.parametrize("name", ["a.smi", "a.smi.gz", "A.SMI.GZ", "a.txt"])
def test_compression_is_seen_from_the_content(tmp_path, name):
    for data in (TEXT.encode(), gzip.compress(TEXT.encode()), gzip.compress(b"") + gzip.compress(TEXT.encode())):
        (tmp_path / name).write_bytes(data)
        with opened(tmp_path / name) as reader:
            assert "".join(reader) == TEXT


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (gzip.compress(TEXT.encode() * 99)[:-20], "end-of-stream"),
        (gzip.compress(TEXT.encode())[:9], "damaged"),
        (gzip.compress(TEXT.encode()) + b"rubbish", "damaged"),
        (gzip.compress(bytes(range(256)) * 9)[:40] + b"\xff" * 60, "damaged"),
        (b"PK\x03\x04....", "zip archive or an Excel workbook; unpack it"),
        (bz2.compress(b"C"), "bzip2"),
        (lzma.compress(b"C"), "xz"),
    ],
)
def test_damage_and_archives_are_named(data, words):
    with pytest.raises(DamagedFile, match=words):
        read(data)


def test_a_line_without_an_end_does_not_fill_the_memory(monkeypatch):
    monkeypatch.setattr(lines, "MAX_LINE", 1000)
    assert read(b"a" * 999 + b"\n" + b"b" * 999) == ["a" * 999 + "\n", "b" * 999]
    with pytest.raises(DamagedFile, match="more than 1,000 characters"):
        read(gzip.compress(b"a\n" + bytes(10**6)))


def test_folders_are_named_and_missing_files_too(tmp_path):
    with pytest.raises(IsADirectoryError, match="is a folder"), opened(tmp_path):
        pass
    with pytest.raises(FileNotFoundError), opened(tmp_path / "none"):
        pass


def test_nothing_is_read_ahead_of_need():
    """A slow pipe: each line comes as soon as it is there."""

    class Slow(io.RawIOBase):
        chunks = [b"a\n", b"b\n", b"c"]

        def readable(self):
            return True

        def readinto(self, buffer):
            data = self.chunks.pop(0) if self.chunks else b""
            buffer[: len(data)] = data
            return len(data)

    reader = read_lines(io.BufferedReader(Slow()))
    assert next(reader) == "a\n" and len(Slow.chunks) == 2
    assert list(reader) == ["b\n", "c"]
