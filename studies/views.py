"""The views a person reads with any SQL tool: one row per run and one row per trial, metrics included.

They hold no data, so every upgrade drops them and makes them anew from here; a migration never names them.
`studies.metrics` derives the same numbers in Python; a test compares the two.
"""

from __future__ import annotations

from dataclasses import dataclass

from studies.metrics import METRICS

_METRIC_COMMENTS = {metric.name: metric.description for metric in METRICS.values()}


@dataclass(frozen=True)
class View:
    """One view: its name, what a row is, what each column holds, and its SELECT."""

    name: str
    comment: str
    columns: dict[str, str]
    select: str


RUN_METRICS = View(
    name="run_metrics",
    comment="One row per finished run (trial and seed) with every metric; NULL where a metric is not defined.",
    columns={
        "study_id": "the study",
        "study": "name of the study",
        "number": "trial",
        "seed": "seed of the run",
        "state": "state of the trial",
        "config_hash": "identity of the configuration",
        "params": "the searched values by dotted name, JSON",
        "measure": "accuracy or mse",
        "n_tasks": "tasks in the stream, T",
        **_METRIC_COMMENTS,
    },
    select="""
WITH by_task AS (
    SELECT evaluation.run_id, evaluation.split, evaluation.on_task, run.n_tasks,
           max(CASE WHEN after_task = run.n_tasks THEN value END) AS at_end,
           max(CASE WHEN after_task = on_task THEN value END) AS when_trained,
           max(CASE WHEN after_task BETWEEN 1 AND run.n_tasks - 1 THEN value END) AS best_before_end
    FROM evaluation JOIN run ON run.id = evaluation.run_id
    GROUP BY evaluation.run_id, evaluation.split, evaluation.on_task, run.n_tasks
), by_split AS (
    SELECT run_id, split,
           CASE WHEN count(at_end) = n_tasks THEN avg(at_end) END AS final,
           CASE WHEN count(when_trained) = n_tasks THEN avg(when_trained) END AS during,
           CASE WHEN count(CASE WHEN on_task < n_tasks THEN best_before_end - at_end END) = n_tasks - 1
                THEN avg(CASE WHEN on_task < n_tasks THEN best_before_end - at_end END) END AS forgetting
    FROM by_task
    GROUP BY run_id, split, n_tasks
)
SELECT trial.study_id, study.name AS study, trial.number, run.seed, trial.state, trial.config_hash, trial.params,
       trial.measure, run.n_tasks,
       CASE WHEN measure = 'accuracy' THEN test.final END AS final_accuracy,
       CASE WHEN measure = 'accuracy' THEN test.during END AS during_accuracy,
       CASE WHEN measure = 'accuracy' THEN validation.final END AS validation_final_accuracy,
       CASE WHEN measure = 'accuracy' THEN test.forgetting END AS forgetting,
       CASE WHEN measure = 'mse' THEN test.final END AS final_mse,
       CASE WHEN measure = 'mse' THEN test.during END AS during_mse,
       CASE WHEN measure = 'mse' THEN validation.final END AS validation_final_mse,
       CAST(model_weights AS double precision) / target_weights AS compression_ratio,
       CAST(hypernet_weights AS double precision) / target_weights AS hypernet_ratio,
       model_weights, hypernet_weights, target_weights, trained_weights, weights_per_task,
       4 * model_weights + (mask_bits + 7) / 8 AS model_bytes,
       memory_bytes, inference_multiply_adds, generation_multiply_adds,
       run.seconds, run.peak_memory_mib
FROM run
JOIN trial ON trial.study_id = run.study_id AND trial.number = run.number
JOIN study ON study.id = run.study_id
LEFT JOIN by_split AS test ON test.run_id = run.id AND test.split = 'test'
LEFT JOIN by_split AS validation ON validation.run_id = run.id AND validation.split = 'validation'
""".strip(),
)

TRIAL_METRICS = View(
    name="trial_metrics",
    comment="One row per trial in any state: each metric is the mean over its seeds, NULL where there is none. "
    "A duplicate shows the numbers of its original.",
    columns={
        "study_id": "the study",
        "study": "name of the study",
        "number": "trial",
        "state": "state of the trial",
        "reason": "why it was skipped, pruned or failed",
        "duplicate_of": "trial whose runs count here",
        "config_hash": "identity of the configuration",
        "params": "the searched values by dotted name, JSON",
        "measure": "accuracy or mse",
        "n": "finished seeds",
        **_METRIC_COMMENTS,
    },
    select="""
WITH seed_mean AS (
    SELECT study_id, number, count(*) AS n,
           avg(final_accuracy) AS final_accuracy, avg(during_accuracy) AS during_accuracy,
           avg(validation_final_accuracy) AS validation_final_accuracy, avg(forgetting) AS forgetting,
           avg(final_mse) AS final_mse, avg(during_mse) AS during_mse,
           avg(validation_final_mse) AS validation_final_mse,
           avg(seconds) AS seconds, avg(peak_memory_mib) AS peak_memory_mib
    FROM run_metrics
    GROUP BY study_id, number
)
SELECT trial.study_id, study.name AS study, trial.number, trial.state, trial.reason, trial.duplicate_of,
       trial.config_hash, trial.params, trial.measure, coalesce(seed_mean.n, 0) AS n,
       final_accuracy, during_accuracy, validation_final_accuracy, forgetting,
       final_mse, during_mse, validation_final_mse,
       CAST(model_weights AS double precision) / target_weights AS compression_ratio,
       CAST(hypernet_weights AS double precision) / target_weights AS hypernet_ratio,
       model_weights, hypernet_weights, target_weights, trained_weights, weights_per_task,
       4 * model_weights + (mask_bits + 7) / 8 AS model_bytes,
       memory_bytes, inference_multiply_adds, generation_multiply_adds,
       seconds, peak_memory_mib
FROM trial
JOIN study ON study.id = trial.study_id
LEFT JOIN seed_mean
       ON seed_mean.study_id = trial.study_id AND seed_mean.number = coalesce(trial.duplicate_of, trial.number)
""".strip(),
)

# In the order they are made: a later one may read an earlier one.
VIEWS = (RUN_METRICS, TRIAL_METRICS)
