"""Network file systems found in lists of mounts as Linux writes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from studies.database import network_files
from studies.database.network_files import network_filesystem, network_warning

MOUNTS = r"""
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
23 22 0:20 / /home rw,relatime shared:2 master:1 - nfs4 server:/export/home rw,vers=4.2,addr=10.0.0.1
24 22 0:21 / /home/me/local\040disk rw - xfs /dev/sdb1 rw
25 22 0:22 / /scratch rw - lustre 10.0.0.2@o2ib:/scratch rw,flock
26 22 0:23 / /cloud rw - fuse.s3fs s3fs rw
27 22 0:24 / /notes rw - fuse.encfs encfs rw
28 22 0:25 / /twice rw - nfs server:/old rw
29 22 8:2 / /twice rw - ext4 /dev/sdc1 rw
30 22 0:26 / /homework rw - tmpfs tmpfs rw
"""


@pytest.fixture
def mounts(tmp_path: Path) -> Path:
    (tmp_path / "mountinfo").write_text(MOUNTS.lstrip())
    return tmp_path / "mountinfo"


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/home/me/hnet.db", "nfs4"),
        ("/home/hnet.db", "nfs4"),
        ("/homework/hnet.db", None),
        ("/home/me/local disk/hnet.db", None),
        ("/scratch/hnet.db", "lustre"),
        ("/cloud/new/folder/hnet.db", "fuse.s3fs"),
        ("/notes/hnet.db", None),
        ("/twice/hnet.db", None),
        ("/hnet.db", None),
    ],
)
def test_the_nearest_mount_decides(path: str, kind: str | None, mounts: Path) -> None:
    assert network_filesystem(Path(path), mounts) == kind


def test_without_a_list_of_mounts_nothing_is_known(tmp_path: Path) -> None:
    assert network_filesystem(Path("/home/hnet.db"), tmp_path / "missing") is None


def test_the_disk_of_this_test_is_no_network_file_system(tmp_path: Path) -> None:
    assert network_filesystem(tmp_path / "hnet.db") is None


def test_the_warning_names_file_kind_and_both_remedies(mounts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network_files.network_filesystem, "__defaults__", (mounts,))
    text = network_warning("sqlite:////home/me/hnet.db")
    assert text is not None
    assert all(part in text for part in ("/home/me/hnet.db", "nfs4", "postgresql://", "--scratch"))
    assert network_warning("/hnet.db") is None
    assert network_warning("postgresql://host/name") is None
