"""Everything the trade-off report shows, derived from one study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reports.analysis.families import Family, families_within
from reports.analysis.importance import Importance, importances
from reports.analysis.main_effects import Effect, main_effects
from reports.analysis.provenance import PaperCheck, Provenance, paper_check, provenance
from reports.analysis.recommendation import Answer, answer
from reports.analysis.trial_outcomes import Coverage, coverage
from reports.data.run_series import during_and_final, means_of
from reports.data.study_data import Evidence, evenly, gather, is_varied
from reports.data.task_matrices import TaskMatrix, read_matrices, untrained_mean
from reports.data.trial import Trial
from reports.figures.attainment import attainment_figure
from reports.figures.bins import bins_figure
from reports.figures.figure import Figure
from reports.figures.overlay import overlay_figure
from reports.figures.parameter_panels import parameter_panels
from reports.figures.seed_scatter import every_seed_figure
from reports.figures.tasks import TaskView, task_views
from reports.figures.tradeoff import FRAME, NAME, X_LABEL, ratio_axis, tradeoff_figure

if TYPE_CHECKING:
    from studies.queries.studies import Studies

PAGE = "tradeoff.html"
VIEW_CHARACTERS = 220_000
MIN_FOR_BINS = 8
MAX_TOLD = 100


@dataclass(frozen=True)
class Report:
    """All parts of the page; figures are None and matrices empty where nothing has finished.

    Attributes:
        families: those the study searches over, and `by_family`, the same configurations told apart by them.
    """

    evidence: Evidence
    answer: Answer
    matrices: Sequence[TaskMatrix]
    families: Sequence[Family]
    by_family: Figure | None
    tradeoff: Figure | None
    modes: Sequence[Figure]
    parameters: Figure | None
    effects: Mapping[str, Sequence[Effect]]
    importances: Sequence[Importance]
    views: Sequence[TaskView]
    coverage: Coverage
    provenance: Provenance
    paper: PaperCheck


def collect(studies: Studies, name: str) -> Report:
    """Reads the study and derives everything the page shows."""
    evidence = gather(studies, name)
    found = answer(evidence)
    varied = [name for name in evidence.parameters if is_varied(evidence, name)]
    matrices = read_matrices(studies, name, _told(evidence, found))
    effects = {name: main_effects(evidence, name) for name in varied}
    families = families_within(evidence)
    untrained = next((untrained_mean(m) for m in matrices if m.trial is found.best), None)
    return Report(
        evidence=evidence,
        answer=found,
        matrices=matrices,
        families=families,
        by_family=overlay_figure(families, ratio_axis(evidence), X_LABEL, "By family", NAME) if families else None,
        tradeoff=tradeoff_figure(evidence, found, untrained) if evidence.configurations else None,
        modes=_modes(studies, evidence) if evidence.configurations else [],
        parameters=parameter_panels(evidence, effects) if evidence.configurations and evidence.parameters else None,
        effects=effects,
        importances=importances(evidence, varied),
        views=_affordable(task_views(evidence, matrices), found) if matrices else [],
        coverage=coverage(evidence),
        provenance=provenance(evidence),
        paper=paper_check(evidence.record.spec),
    )


def _modes(studies: Studies, evidence: Evidence) -> list[Figure]:
    """Other ways to draw the same runs, where there is enough for them to mean something."""
    if evidence.has_too_many_runs:
        return [bins_figure(evidence.quality, means_of(evidence), FRAME, ratio_axis(evidence), X_LABEL)]
    series = during_and_final(studies.runs(evidence.record.name), evidence)
    given = (evidence.quality, series, FRAME, ratio_axis(evidence), X_LABEL)
    modes = [every_seed_figure(*given)]
    if len(evidence.configurations) >= MIN_FOR_BINS:
        modes.append(bins_figure(*given))
    if len(set(series[-1].seeds.tolist())) > 1:
        modes.append(attainment_figure(*given))
    return modes


def _told(evidence: Evidence, found: Answer) -> list[Trial]:
    """The configurations whose tasks are told: the front, thinned where it is long, and those the answer names."""
    front = evenly(evidence.front, MAX_TOLD)
    trials = {trial.number: trial for trial in (*front, *(trial for _, trial in found.roles))}
    return sorted(trials.values(), key=lambda trial: (trial.ratio, trial.number))


def _affordable(views: list[TaskView], found: Answer) -> list[TaskView]:
    """As many views as keep the page small, those the answer names first, then evenly along the front."""
    named = {trial.number for _, trial in found.roles}
    room = max(len(named), VIEW_CHARACTERS // max(_characters(view) for view in views))
    if len(views) <= room:
        return views
    spread = {round(i * (len(views) - 1) / max(room - 1, 1)) for i in range(room)}
    return [view for i, view in enumerate(views) if i in spread or view.trial.number in named]


def _characters(view: TaskView) -> int:
    """About what a view takes in the page."""
    cells = sum(len(cells) for _, cells in view.heat)
    return 2_500 + len(view.chart) + len(view.heat_map or "") + 32 * cells + 420 * len(view.table.rows)
