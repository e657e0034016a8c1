"""Content of the trade-off report, derived from one study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reports.analysis.different_tasks import fields_of_different_tasks
from reports.analysis.families import Family, families_within
from reports.analysis.importance import Importance, importances
from reports.analysis.incomplete_trials import incomplete_trials
from reports.analysis.main_effects import Effect, main_effects
from reports.analysis.objective_fronts import ObjectiveFronts, objective_fronts
from reports.analysis.provenance import PaperCheck, Provenance, paper_check, provenance
from reports.analysis.recommendation import Recommendation, recommend
from reports.analysis.search_progress import SearchProgress, search_progress
from reports.analysis.trial_outcomes import TrialOutcomes, trial_outcomes
from reports.data.run_series import during_and_final, means_of
from reports.data.study_data import StudyData, read_study
from reports.data.task_matrices import Inference, TaskMatrix, read_inference, read_matrices, untrained_mean
from reports.data.thinning import evenly_spaced
from reports.data.trial import Trial
from reports.figures.attainment import attainment_figure
from reports.figures.bins import bins_figure
from reports.figures.figure import Figure
from reports.figures.objectives.pairs import pairs_figure
from reports.figures.objectives.parallel_coordinates import parallel_figure
from reports.figures.overlay import overlay_figure
from reports.figures.parameter_panels import parameter_panels
from reports.figures.run_plane import RunPlane
from reports.figures.seed_scatter import seed_scatter_figure
from reports.figures.tasks import TaskView, task_views
from reports.figures.tradeoff import FRAME, NAME, tradeoff_figure, x_scale

if TYPE_CHECKING:
    from studies.queries.studies import Studies

PAGE = "tradeoff.html"
VIEW_CHARACTERS = 220_000
MIN_FOR_BINS = 8
MAX_FRONT_TRIALS = 100


@dataclass(frozen=True)
class TradeoffContent:
    """Parts of the page; figures are None and matrices empty where nothing has finished.

    Attributes:
        fronts: those of a study with three or more objectives; None for fewer. `objectives` are their figures.
        run_figures: further views of the trade-off, from single runs.
        families: those the study searches over; `by_family` is the figure of its configurations by family.
        inference: the matrices of task inference of those that have them, by trial number.
        incomplete: complete trials that are left out because they lack a value.
    """

    data: StudyData
    recommendation: Recommendation
    matrices: Sequence[TaskMatrix]
    inference: Mapping[int, Inference]
    families: Sequence[Family]
    by_family: Figure | None
    tradeoff: Figure | None
    run_figures: Sequence[Figure]
    fronts: ObjectiveFronts | None
    objectives: Sequence[Figure]
    parameters: Figure | None
    effects: Mapping[str, Sequence[Effect]]
    importances: Sequence[Importance]
    views: Sequence[TaskView]
    progress: Sequence[SearchProgress]
    trial_outcomes: TrialOutcomes
    incomplete: str | None
    provenance: Provenance
    paper: PaperCheck


def collect(studies: Studies, name: str, x: str | None = None) -> TradeoffContent:
    """Read the study and derive the content of the page; `x` as in `read_study`."""
    from reports.data.study_map import read_map  # with numpy, which help has no time for

    data = read_study(studies, name, x)
    incomplete = incomplete_trials(studies, data)
    found = recommend(data, incomplete, fields_of_different_tasks(studies, data))
    shown = _trials_with_tasks(data, found)
    matrices, inference = read_matrices(studies, name, shown), read_inference(studies, name, shown)
    effects = {name: main_effects(data, name) for name in data.varied}
    families = families_within(data)
    fronts = objective_fronts(data)
    untrained = next((untrained_mean(m) for m in matrices if m.trial is found.best), None)
    return TradeoffContent(
        data=data,
        recommendation=found,
        matrices=matrices,
        inference=inference,
        families=families,
        by_family=overlay_figure(families, x_scale(data), "By family", NAME) if families else None,
        tradeoff=tradeoff_figure(data, found, untrained) if data.configurations else None,
        run_figures=_run_figures(studies, data) if data.configurations else [],
        fronts=fronts,
        objectives=[] if fronts is None else [pairs_figure(data, fronts), parallel_figure(data, fronts)],
        parameters=parameter_panels(data, effects) if data.configurations and data.parameters else None,
        effects=effects,
        importances=importances(data, data.varied),
        views=_views_that_fit(task_views(data, matrices, inference), found) if matrices else [],
        progress=search_progress(read_map(studies, name)),
        trial_outcomes=trial_outcomes(data),
        incomplete=incomplete,
        provenance=provenance(data),
        paper=paper_check(data.record.spec),
    )


def _run_figures(studies: Studies, data: StudyData) -> list[Figure]:
    """Draw the figures of single runs that have enough data."""
    plane = RunPlane(data.quality, data.x, FRAME, x_scale(data))
    if data.has_too_many_runs:
        return [bins_figure(plane, means_of(data))]
    series = during_and_final(studies.runs(data.record.name), data)
    figures = [seed_scatter_figure(plane, series)]
    if len(data.configurations) >= MIN_FOR_BINS:
        figures.append(bins_figure(plane, series))
    if len(set(series[-1].seeds.tolist())) > 1:
        figures.append(attainment_figure(plane, series))
    return figures


def _trials_with_tasks(data: StudyData, found: Recommendation) -> list[Trial]:
    """Select the configurations shown task by task: the front, thinned where it is long, and the recommended ones."""
    front = evenly_spaced(data.front, MAX_FRONT_TRIALS)
    trials = {trial.number: trial for trial in (*front, *(trial for _, trial in found.roles))}
    return data.by_cost(trials.values())


def _views_that_fit(views: list[TaskView], found: Recommendation) -> list[TaskView]:
    """Select as many views as keep the page small: the recommended ones, then evenly along the front."""
    named = {trial.number for _, trial in found.roles}
    room = max(len(named), VIEW_CHARACTERS // max(_characters(view) for view in views))
    if len(views) <= room:
        return views
    spread = set(evenly_spaced(range(len(views)), room))
    return [view for i, view in enumerate(views) if i in spread or view.trial.number in named]


def _characters(view: TaskView) -> int:
    """Estimate the characters of a view in the page."""
    tables = [view.table, *([view.inference_table] if view.inference_table else [])]
    matrices = sum(matrix.characters for matrix in (view.matrix, *view.inference))
    return 2_500 + len(view.chart) + matrices + 420 * sum(len(table.rows) for table in tables)
