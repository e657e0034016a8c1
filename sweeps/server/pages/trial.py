"""The page of one trial: metrics, matrix, runs, configuration, failure, and the command that trains it again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from reports.data.study_map import read_one
from reports.data.task_matrices import read_inference, read_matrices
from reports.figures.tasks import task_views
from reports.formatting import mean_text, parameter, range_text, significant
from studies.database.urls import mask_passwords
from studies.metrics.definitions import METRICS
from studies.spec.yaml_subset import write_yaml
from sweeps.server.query_parameters import check_names, study_name, trial_number
from sweeps.server.rendering import Pages
from sweeps.server.service import Service


def page(request: Request) -> Response:
    """Show one trial."""
    check_names(request, [])
    service: Service = request.app.state.service
    pages: Pages = request.app.state.pages
    name, number = study_name(request), trial_number(request)
    version = service.version(name)
    return pages.respond(request, version, "trial.html.j2", lambda: _content(service, name, number, version))


def _content(service: Service, name: str, number: int, version: str) -> dict[str, Any]:
    studies = service.studies
    row = studies.trial(name, number)
    source = number if row["duplicate_of"] is None else row["duplicate_of"]
    data = read_one(studies, name, number, row["measure"])
    (trial,) = data.trials
    views = []
    if row["runs"]:
        views = task_views(data, read_matrices(studies, name, [trial]), read_inference(studies, name, [trial]))
    params, searched = dict(row["params"]), data.parameters
    return {
        "name": name,
        "number": number,
        "row": row,
        "source": source,
        "trial": trial,
        "quality": data.quality,
        "metrics": [
            {
                "name": metric,
                "label": METRICS[metric].label,
                "text": mean_text(trial[metric])
                if METRICS[metric].kind != "count"
                else significant(trial.mean(metric)),
                "range": "" if METRICS[metric].kind == "count" else range_text(trial[metric]),
                "n": trial[metric].n,
                "hint": METRICS[metric].description,
            }
            for metric in METRICS
            if trial.mean(metric) is not None
        ],
        "view": views[0] if views else None,
        "runs": list(studies.run_rows(name, where=f"number == {source}").dicts()),
        "details": {run["seed"]: run for run in row["runs"]},
        "params": {key: parameter(params[key]) for key in [*searched, *params] if key in params},
        "config": write_yaml(row["config"]),
        "command": None if data.record.is_imported else command_of(number, row["config"], data.record.seeds),
        "note": studies.trial_notes(name).get(number),
        "driver_command": driver_command(row),
        "significant": significant,
        "mean_text": mean_text,
        "range_text": range_text,
        "live": {"study": name, "seen": version},
    }


def command_of(number: int, config: Mapping[str, Any], seeds: int) -> str:
    """Return the commands that train a configuration again, without a study."""
    file = f"trial-{number}.yaml"
    return f"cat > {file} <<'END_OF_TRIAL'\n{write_yaml(config)}END_OF_TRIAL\nhnet trial run {file} --seeds {seeds}"


def driver_command(row: Any) -> str:
    """Return the command of the driver that ran the last attempt."""
    return mask_passwords(str(row["launch"]["command_line"] or "not recorded"))
