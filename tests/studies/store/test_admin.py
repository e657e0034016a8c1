from __future__ import annotations

import json

import pytest
from click.testing import Result
from sqlalchemy import Engine
from typer.testing import CliRunner

from hnet_core.errors import ConfigInvalid
from studies.errors import StudyBusy, StudyNotFound, TrialNotFound
from studies.queries.studies import Studies
from studies.store.admin import archive_study, remove_study, retry_trials, tag_study
from studies.store.store import Store
from sweeps.cli.study import app
from tests.studies.sample import sample_result, sample_study


@pytest.fixture
def name(engine: Engine) -> str:
    return sample_study(engine, 12)


def hnet_study(engine: Engine, *arguments: str) -> Result:
    url = engine.url.render_as_string(hide_password=False)
    result = CliRunner().invoke(app, [*arguments, "--db", url])
    assert result.exit_code == 0, result.exception
    return result


def test_studies_are_found_by_their_tags(engine: Engine, name: str) -> None:
    sample_study(engine, 3, name="other")
    assert tag_study(engine, name, ["paper", "fig 3", "paper"]) == ["fig 3", "paper"]
    assert tag_study(engine, name, ["paper"]) == ["fig 3", "paper"]
    found = Studies(engine)
    assert found.studies(tag="paper")["name"].tolist() == [name]
    assert sorted(found.studies()["tags"][0].split(", ")) == ["fig 3", "paper"]
    assert tag_study(engine, name, remove=["paper", "never given"]) == ["fig 3"]
    assert found.studies(tag="paper").empty


@pytest.mark.parametrize("word", ["", "  ", "a,b", "a\nb", "x" * 51])
def test_a_tag_must_be_a_word_or_two(engine: Engine, name: str, word: str) -> None:
    with pytest.raises(ConfigInvalid, match="a tag must have 1 to 50 characters and no comma"):
        tag_study(engine, name, [word])


def test_an_archived_study_is_listed_only_on_request(engine: Engine, name: str) -> None:
    archive_study(engine, name)
    found = Studies(engine)
    assert found.studies().empty
    assert found.studies(archived=True)["archived_at"].notna().tolist() == [True]
    assert len(found.trials(name)) == 12, "it can be read by name as before"
    archive_study(engine, name, archived=False)
    assert found.studies()["name"].tolist() == [name]


def test_a_failed_trial_is_queued_again_and_nothing_else_is(engine: Engine, name: str) -> None:
    assert retry_trials(engine, name) == [4]
    row = Studies(engine).trial(name, 4)
    assert (row["state"], row["reason"], row["finished_at"], row["attempt"]) == ("RUNNING", None, None, 1)
    assert retry_trials(engine, name) == []
    with pytest.raises(ConfigInvalid, match="trial 0 must be FAILED to be tried again, got COMPLETE"):
        retry_trials(engine, name, [0])
    with pytest.raises(TrialNotFound, match="has no trial 99"):
        retry_trials(engine, name, [99])
    store, params = Store(engine), Studies(engine).trial(name, 4)["params"]
    from tests.studies.sample import describe

    launch_id = row["launch"]["id"]
    store.start_trial(row["study_id"], 4, describe(params, 5), launch_id=launch_id, attempt=2)
    store.complete_trial(row["study_id"], 4, 2, [sample_result(params, 5, 0)])
    assert Studies(engine).trials(name, where="number == 4")["state"].tolist() == ["COMPLETE"]


def test_a_removed_study_is_gone_and_others_stay(engine: Engine, name: str) -> None:
    sample_study(engine, 3, name="other")
    uuid = Studies(engine).study(name).uuid
    assert remove_study(engine, name) == uuid
    with pytest.raises(StudyNotFound):
        Studies(engine).study(name)
    assert len(Studies(engine).trials("other")) == 3
    with pytest.raises(StudyNotFound, match="List them: hnet study ls --all"):
        remove_study(engine, name)


def test_a_study_that_is_driven_is_neither_removed_nor_queued(engine: Engine, name: str) -> None:
    study_id = Studies(engine).study(name).id
    assert Store(engine).acquire_lease(study_id, "me", "this-host", 42, 60)
    for change in (remove_study, retry_trials):
        with pytest.raises(StudyBusy, match="got process 42 on this-host; stop it first: hnet sweep stop") as error:
            change(engine, name)
        assert error.value.exit_code == 6
    assert len(Studies(engine).trials(name)) == 12


def test_the_commands_change_what_the_functions_change(engine: Engine, name: str) -> None:
    assert "paper" in hnet_study(engine, "tag", name, "paper").stdout
    assert json.loads(hnet_study(engine, "tag", name, "--format", "json").stdout) == {"rows": [{"tag": "paper"}]}
    assert "no rows" in hnet_study(engine, "tag", name, "--remove", "paper").stderr
    assert "restore it with --undo" in hnet_study(engine, "archive", name).stderr
    assert name in hnet_study(engine, "ls", "--all").stdout
    hnet_study(engine, "archive", name, "--undo")
    assert "queued trial 4 again" in hnet_study(engine, "retry", name).stderr
    assert "no failed trial" in hnet_study(engine, "retry", name).stderr
