"""What is on the disk for nobody does not stay there."""

import os
import time

from crm.files import orphans
from crm.files.storage import Storage

DAY = 24 * 3_600


def test_old_files_go_and_others_stay(tmp_path):
    kept = Storage(tmp_path, b"secret")
    ages = {("made", b"\1"): 3, ("made", b"\2"): 1, ("uploads", b"\3"): 15, ("uploads", b"\4"): 13}
    for (kind, name), days in ages.items():
        path = kept.new_path(kind, name)[1]
        path.write_bytes(b"x")
        os.utime(path, (time.time() - days * DAY,) * 2)
    (tmp_path / "clientela.db").write_bytes(b"not one of them")
    assert orphans.remove_orphans(kept) == 2
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["02", "04", "clientela.db"]


def test_where_there_is_nothing_yet_nothing_goes(tmp_path):
    assert orphans.remove_orphans(Storage(tmp_path / "not there", b"secret")) == 0
