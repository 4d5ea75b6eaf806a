"""Events are found in every form that people keep them in, and each knows where it stood."""

import gzip
import io
import json
from pathlib import Path

import pytest

from headwater_server.cli import reading
from headwater_server.cli.ingest import batches
from headwater_server.cli.output import Failed
from headwater_server.cli.reading import Found

ONE, TWO = {"eventType": "START", "n": 1}, {"eventType": "COMPLETE", "n": 2}


def _bodies(path: Path) -> list[object]:
    return [json.loads(found.body) for found in reading.events(str(path))]


@pytest.mark.parametrize(
    "text",
    [
        f"{json.dumps(ONE)}\n{json.dumps(TWO)}\n",
        f"\n{json.dumps(ONE)}\r\n\r\n{json.dumps(TWO)}",
        f"\ufeff{json.dumps(ONE)}\n{json.dumps(TWO)}",
        json.dumps([ONE, TWO]),
        json.dumps([ONE, TWO], indent=2),
    ],
    ids=["ndjson", "blank lines and CRLF", "byte order mark", "array", "pretty array"],
)
def test_two_events_are_found_in_any_form(tmp_path: Path, text: str) -> None:
    file = tmp_path / "events.json"
    file.write_bytes(text.encode())
    assert _bodies(file) == [ONE, TWO]
    packed = tmp_path / "events.json.gz"
    packed.write_bytes(gzip.compress(text.encode()))
    assert _bodies(packed) == [ONE, TWO]


def test_one_pretty_event_is_one_event(tmp_path: Path) -> None:
    file = tmp_path / "event.json"
    file.write_text(json.dumps(ONE, indent=2))
    assert _bodies(file) == [ONE]


def test_a_line_of_ndjson_goes_on_byte_for_byte(tmp_path: Path) -> None:
    line = b'{"a" : 1.10,  "b":"\\u00e9"}'
    file = tmp_path / "events.ndjson"
    file.write_bytes(line + b"\n{broken\n")
    found = list(reading.events(str(file)))
    assert found == [Found(line, f"{file}:1"), Found(b"{broken", f"{file}:2")]


def test_an_event_of_an_array_is_found_by_its_index(tmp_path: Path) -> None:
    file = tmp_path / "events.json"
    file.write_text(json.dumps([ONE, TWO]))
    assert [found.place for found in reading.events(str(file))] == [f"{file}[0]", f"{file}[1]"]


def test_what_is_no_json_says_so(tmp_path: Path) -> None:
    file = tmp_path / "events.json"
    file.write_text("hello\n")
    with pytest.raises(Failed, match="neither NDJSON, nor a JSON array"):
        list(reading.events(str(file)))


def test_what_is_no_gzip_says_so(tmp_path: Path) -> None:
    file = tmp_path / "events.ndjson.gz"
    file.write_text("hello\n")
    with pytest.raises(Failed, match="cannot be read as gzip"):
        list(reading.events(str(file)))


def test_standard_input_is_read_from_a_dash(monkeypatch: pytest.MonkeyPatch) -> None:
    text = io.TextIOWrapper(io.BytesIO(json.dumps(ONE).encode()))
    monkeypatch.setattr("sys.stdin", text)
    assert [found.place for found in reading.events("-")] == ["<stdin>:1"]


def test_a_folder_gives_its_files_of_events_in_order(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    for name in ("b/2.ndjson", "a.json", "c.JSONL", "d.json.gz", "README.md"):
        (tmp_path / name).touch()
    assert [Path(s).name for s in reading.sources(str(tmp_path))] == [
        "a.json",
        "2.ndjson",
        "c.JSONL",
        "d.json.gz",
    ]


def test_a_folder_without_events_and_a_missing_file_are_told(tmp_path: Path) -> None:
    with pytest.raises(Failed, match="holds no file"):
        reading.sources(str(tmp_path))
    with pytest.raises(Failed, match="There is no file or folder"):
        reading.sources(str(tmp_path / "nothing"))


def test_batches_are_bounded_by_number_and_by_size() -> None:
    small = [Found(b"{}", str(n)) for n in range(2500)]
    assert [len(batch) for batch in batches(small)] == [1000, 1000, 500]
    large = [Found(b"x" * 5_000_000, str(n)) for n in range(3)]
    assert [len(batch) for batch in batches(large)] == [1, 1, 1]
