"""The audit log on a real file."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from serving.audit import AuditLog
from serving.errors import StorageUnavailable


async def test_lines_are_there_in_order_once_appended(tmp_path: Path) -> None:
    audit = AuditLog(str(tmp_path / "made" / "audit.jsonl"))
    await audit.append("erased", user="a")
    await audit.append("exported", user="b")
    audit.append_later("erased", user="c")
    audit.close()
    assert [record["user"] for record in audit.records("erased")] == ["a", "c"]
    lines = audit.path.read_text().splitlines()
    assert [json.loads(line)["what"] for line in lines] == ["erased", "exported", "erased"]
    assert json.loads(lines[0])["time"].endswith("+00:00")
    assert audit.path.stat().st_mode & 0o077 == 0


async def test_half_a_line_of_a_killed_process_spoils_nothing(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    path.write_text('{"what": "erased", "user": "a"}\n{"what": "era')
    audit = AuditLog(str(path))
    await audit.append("erased", user="b")
    assert [record["user"] for record in audit.records("erased")] == ["a", "b"]


def test_threads_and_processes_do_not_mix_their_lines(tmp_path: Path) -> None:
    logs = [AuditLog(str(tmp_path / "audit.jsonl")) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        for log in logs:
            pool.submit(lambda log=log: [log._append("x", {"text": "y" * 500}) for _ in range(25)])
    assert len(list(logs[0].records("x"))) == 100


def test_a_log_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageUnavailable, match="audit log"):
        AuditLog(str(tmp_path / "file" / "audit.jsonl"))
