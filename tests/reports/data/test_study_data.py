from __future__ import annotations

from pathlib import Path

from reports.analysis.incomplete_trials import incomplete_trials
from reports.analysis.recommendation import recommend
from reports.data.study_data import read_study
from studies.database.open_database import connect
from studies.queries.studies import Studies
from studies.store.imported_trials import ImportedRun, ImportedTrial, ImportedWeights
from studies.store.trial_import import import_trials


def test_the_answer_names_the_evaluations_without_which_there_is_none(tmp_path: Path) -> None:
    engine = connect(str(tmp_path / "study.db"), create=True)
    run = ImportedRun(0, {("test", 1, 1): 0.9, ("test", 2, 1): 0.8, ("test", 1, 2): 0.1})
    trial = ImportedTrial(0, {}, ImportedWeights(1000, 500), [run], n_tasks=2)
    import_trials(engine, "s", [trial], "elsewhere", {"final_accuracy": "maximize", "compression_ratio": "minimize"})
    studies = Studies(engine)
    data = read_study(studies, "s")
    assert recommend(data, incomplete_trials(studies, data)).headline == (
        "There is no answer: no configuration has all the values it needs (1 trial: 1 complete): "
        "trial 0 with no value after task 2 on task 2."
    )
