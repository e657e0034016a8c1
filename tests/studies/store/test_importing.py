from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine

from hnet_core.errors import ConfigInvalid
from studies.database.integrity import check_database
from studies.database.open_database import connect
from studies.errors import StudyNotFound
from studies.queries.studies import Studies
from studies.store.importing import import_studies
from studies.store.store import StudyExists
from tests.studies.sample import sample_study


def test_a_copied_study_equals_the_original(engine: Engine, tmp_path: Path) -> None:
    name = sample_study(engine, 12)
    sample_study(engine, 3, name="other")
    copy = connect(str(tmp_path / "copy.db"), create=True)
    sample_study(copy, 3, name="there before")
    seen: list[tuple[str, int, int]] = []
    assert import_studies(engine, copy, [name], progress=lambda *step: seen.append(step)) == [name]
    n = len(Studies(engine).evaluations(name))
    assert seen == [(f"copying {name}", n, n)]
    there, here = Studies(engine), Studies(copy)
    assert here.studies()["name"].tolist() == ["there before", name]
    expected = there.trials(name).drop(columns="launch_id")
    assert here.trials(name).drop(columns="launch_id").equals(expected)
    assert here.evaluations(name).equals(there.evaluations(name))
    assert here.study(name).uuid == there.study(name).uuid
    assert [one["host"] for one in here.study(name).launches] == [one["host"] for one in there.study(name).launches]
    assert check_database(copy).problems == []


def test_a_copy_into_postgresql_can_be_written_to_afterwards(engine: Engine, tmp_path: Path) -> None:
    source = connect(str(tmp_path / "source.db"), create=True)
    sample_study(source, 12, name="from elsewhere")
    assert import_studies(source, engine) == ["from elsewhere"]
    sample_study(engine, 3)  # would fail if identities had been taken from the source
    assert check_database(engine).problems == []


def test_a_study_is_imported_once(engine: Engine, tmp_path: Path) -> None:
    name = sample_study(engine, 3)
    copy = connect(str(tmp_path / "copy.db"), create=True)
    import_studies(engine, copy)
    for rename in (None, "another name"):
        with pytest.raises(StudyExists, match=f"of '{name}' is in this database already as '{name}'"):
            import_studies(engine, copy, [name], rename)
    assert len(Studies(copy).studies()) == 1
    with pytest.raises(StudyNotFound, match="'nope' is not in the source, which holds"):
        import_studies(engine, copy, ["nope"])
    sample_study(engine, 3, name="second")
    with pytest.raises(ConfigInvalid, match="--as gives one study its name here, got 2"):
        import_studies(engine, copy, rename="one name")
