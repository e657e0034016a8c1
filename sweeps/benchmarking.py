"""Sweeps that measure published tables: one configuration for each distinct training, with a study for each selection.

The study of a table is called after it: vonoswald2020:table1; at another scale vonoswald2020:table1:smoke; of some rows
or columns vonoswald2020:table1:rows=S-CL1:columns=EWC. Its families are the trainings that were wanted and not measured
yet when it was created; the same command continues it. Trainings wanted later get a further study, ...#2.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hnet_core.build import stream_shape
from hnet_core.errors import ConfigInvalid, DatasetMissing
from hnet_core.registry import STREAMS
from hnet_core.trial import TrialConfig
from reports.analysis.measurability import parsed, unexplained, why_not
from reports.analysis.measuring_trials import FinishedTrials
from reports.analysis.similar_trials import FinishedTrial
from reports.data.published_cells import MeasuredBy, PublishedCell, PublishedTable, Scale
from studies.spec.document import Document
from studies.spec.loading import load_spec
from studies.spec.spec import SweepSpec
from studies.spec.yaml_subset import write_yaml
from studies.store.store import MAX_NAME_LENGTH
from sweeps.runner import Backend, Outcome, run_sweep

if TYPE_CHECKING:
    from studies.queries.studies import Studies

DEFAULT_SEEDS = 3  # where a paper does not say over how many runs it averages
LENGTHS = ("training.iterations", "training.epochs", "stream.n_tasks")


@dataclass(frozen=True)
class Selection:
    """Cells of a table to measure, and how.

    Attributes:
        rows, columns: names; None: all.
        seeds: of every training; None: as many as the paper averages over at scale full, one at others.
    """

    table: PublishedTable
    rows: tuple[str, ...] | None = None
    columns: tuple[str, ...] | None = None
    scale: Scale = "full"
    seeds: int | None = None

    @property
    def cells(self) -> list[PublishedCell]:
        return [
            cell
            for cell in self.table.cells
            if (self.rows is None or cell.row in self.rows) and (self.columns is None or cell.column in self.columns)
        ]

    @property
    def n_seeds(self) -> int:
        if self.seeds is not None:
            return self.seeds
        if self.scale != "full":
            return 1
        return max((cell.n or DEFAULT_SEEDS for cell in self.cells), default=DEFAULT_SEEDS)

    @property
    def study(self) -> str:
        """Name of the first study of this selection."""
        parts = [self.table.name]
        parts += [self.scale] if self.scale != "full" else []
        parts += [f"rows={','.join(self.rows)}"] if self.rows is not None else []
        parts += [f"columns={','.join(self.columns)}"] if self.columns is not None else []
        name = ":".join(parts)
        room = MAX_NAME_LENGTH - len("#999")
        if len(name) > room:
            digest = hashlib.sha256(name.encode()).hexdigest()[:8]
            name = f"{name[: room - 9]}~{digest}"
        return name


@dataclass(frozen=True)
class Training:
    """A configuration to train, and the cells it measures."""

    way: MeasuredBy
    config: TrialConfig
    cells: list[PublishedCell] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.way.configuration.name


@dataclass(frozen=True)
class Plan:
    """What measures the cells of a selection.

    Attributes:
        trainings: by configuration hash.
        taken: cells that a past study has measured, with its trial.
        left_out: cells that nothing measures here, with the reason.
    """

    selection: Selection
    trainings: Mapping[str, Training]
    taken: Sequence[tuple[PublishedCell, FinishedTrial]]
    left_out: Sequence[tuple[PublishedCell, str]]


def make_plan(selection: Selection, studies: Studies | None, data: Path) -> Plan:
    """Decide for each cell of a selection whether it is measured already, is to be trained, or cannot be.

    A past study of any name counts, with the same configuration at the scale and with enough seeds; those of this
    selection itself do not, since they are continued.
    """
    own = () if studies is None else tuple(own_studies(selection, studies))
    others = (
        None if studies is None else [row["name"] for row in studies.study_rows().dicts() if row["name"] not in own]
    )
    trials = FinishedTrials(studies, others)
    trainings: dict[str, Training] = {}
    taken: list[tuple[PublishedCell, FinishedTrial]] = []
    left_out: list[tuple[PublishedCell, str]] = []
    for cell in sorted(selection.cells, key=lambda cell: len(cell.measured_by)):  # those with a choice come last
        why = cell.reason or unexplained(cell, selection.scale, data)
        past = None if cell.reason else _measured(cell, selection, trials)
        if past is not None:
            taken.append((cell, past))
        elif why:
            left_out.append((cell, why))
        else:
            ways = [way for way in cell.measured_by if why_not(way, selection.scale, data) is None]
            hashes = [parsed(way.configuration, selection.scale).hash() for way in ways]
            chosen = next((i for i, each in enumerate(hashes) if each in trainings), 0)
            config = parsed(ways[chosen].configuration, selection.scale)
            trainings.setdefault(hashes[chosen], Training(ways[chosen], config)).cells.append(cell)
    return Plan(selection, trainings, taken, left_out)


def _measured(cell: PublishedCell, selection: Selection, trials: FinishedTrials) -> FinishedTrial | None:
    for way in cell.measured_by:
        for found in trials.exact(way, selection.scale, selection.n_seeds):
            if trials.has_values(way, found):
                return found
    return None


def own_studies(selection: Selection, studies: Studies) -> Iterator[str]:
    """Yield the names of the studies of this selection that exist, in their order; an imported one is none of them."""
    names = set(studies.names())
    for name in itertools.takewhile(names.__contains__, _study_names(selection)):
        if not studies.study(name).is_imported:
            yield name


def _study_names(selection: Selection) -> Iterator[str]:
    yield selection.study
    for number in itertools.count(2):
        yield f"{selection.study}#{number}"


def check_data(plan: Plan, root: Path) -> None:
    """Check that the data of every training is at hand, before anything is written.

    Raises:
        DatasetMissing: naming the cells that can be left out.
    """
    seen: set[tuple[str, str | None]] = set()
    for training in plan.trainings.values():
        stream = training.config.stream
        key = (stream.name, getattr(stream, "dataset", None))
        if key in seen:
            continue
        seen.add(key)
        try:
            STREAMS[stream.name].open(stream, root)
        except DatasetMissing as error:
            cells = "; ".join(map(str, training.cells[:3])) + ("; ..." if len(training.cells) > 3 else "")
            raise DatasetMissing(
                f"{error} It is needed for {cells}. Other cells are chosen with --rows and --columns."
            ) from None


def specs_of(plan: Plan, studies: Studies | None, data: Path) -> list[tuple[SweepSpec, str]]:
    """Return the sweeps that train what a plan wants, with their YAML: existing studies first, then a new one.

    Raises:
        ConfigInvalid: a training does not fit this machine.
    """
    wanted, found = dict(plan.trainings), []
    for name in () if studies is None else own_studies(plan.selection, studies):
        assert studies is not None
        record = studies.study(name)
        hashes = _trained(record.spec)
        if not hashes & wanted.keys():
            continue
        wanted = {each: training for each, training in wanted.items() if each not in hashes}
        seeds = max(record.seeds, plan.selection.n_seeds)
        found.append(_checked({**record.spec, "seeds": seeds}, data))
    taken = set() if studies is None else set(studies.names())
    free = (name for name in _study_names(plan.selection) if name not in taken)
    for objectives, trainings in _by_objective(wanted.values(), data).items():
        found.append(_checked(_spec(next(free), plan.selection, trainings, dict(objectives)), data))
    return found


def _by_objective(trainings: Iterable[Training], data: Path) -> dict[tuple[tuple[str, str], ...], list[Training]]:
    """Group trainings by what their stream measures, since a study has the same objectives for all."""
    found: dict[tuple[tuple[str, str], ...], list[Training]] = {}
    for training in trainings:
        measure = stream_shape(training.config, data).measure
        direction = "maximize" if measure == "accuracy" else "minimize"
        found.setdefault(((f"final_{measure}", direction),), []).append(training)
    return found


def _trained(spec: Mapping[str, Any]) -> set[str]:
    """Return the configuration hashes of the families of a stored spec; none of one that is no longer valid."""
    try:
        checked = SweepSpec.model_validate(spec)
        return {checked.config({"family": family}).hash() for family in checked.families}
    except ValueError:
        return set()


def _spec(name: str, selection: Selection, trainings: Sequence[Training], objectives: dict[str, str]) -> dict[str, Any]:
    families = {training.name: dict(training.way.configuration.blocks[selection.scale]) for training in trainings}
    published = [parsed(training.way.configuration) for training in trainings]
    return {
        "study": name,
        "trial": {},
        "families": families,
        "search": {"family": {"choice": list(families)}},
        "objectives": objectives,
        "seeds": selection.n_seeds,
        "sampler": "grid",
        "budget": {"trials": len(families)},
        "paper": {
            "cite": f"{selection.table.name}: {selection.table.cite}",
            "settings": {**_lengths(published), **_published_seeds(selection)},
        },
    }


def _lengths(published: Sequence[TrialConfig]) -> dict[str, float]:
    """Return the least published length of each kind, so that a reduced sweep is labelled so everywhere."""
    from hnet_core import dotted_keys

    found: dict[str, float] = {}
    for name in LENGTHS:
        values = [dotted_keys.get(config.model_dump(mode="json"), name, None) for config in published]
        if all(value is not None for value in values):
            found[name] = min(value for value in values if value is not None)
    return found


def _published_seeds(selection: Selection) -> dict[str, float]:
    known = [cell.n for cell in selection.cells if cell.n is not None]
    return {"seeds": max(known)} if known else {}


def _checked(content: dict[str, Any], data: Path) -> tuple[SweepSpec, str]:
    text = write_yaml(content)
    return load_spec(Document(f"study {content['study']}", content, text=text), data, trained_here=True), text


def run_plan(
    plan: Plan,
    url: str,
    studies: Studies | None,
    root: Path,
    workers: int | None = None,
    address: str | None = None,
    storage: str | None = None,
    backend: Backend | None = None,
) -> list[Outcome]:
    """Train what a plan wants, or continue that; the arguments are those of `run_sweep`.

    Returns:
        The outcome of each study; after one that was stopped, none follows.

    Raises:
        ConfigInvalid: none of the cells can be measured here.
        DatasetMissing: the data of a training are not at hand; nothing is written then.
    """
    check_measures_something(plan)
    check_data(plan, root)
    outcomes: list[Outcome] = []
    for spec, text in specs_of(plan, studies, root):
        outcomes.append(run_sweep(spec, url, root, workers, address, storage, text, backend))
        if outcomes[-1].stopped:
            break
    return outcomes


def trainings_left(plan: Plan, studies: Studies | None) -> list[Training]:
    """Return the trainings that the studies of this selection have not finished yet."""
    if studies is None:
        return list(plan.trainings.values())
    done = {
        row.config_hash
        for name in own_studies(plan.selection, studies)
        for row in studies.trial_states(name)
        if row.state == "COMPLETE" and len(row.seeds) >= plan.selection.n_seeds
    }
    return [training for each, training in plan.trainings.items() if each not in done]


def describe(plan: Plan, studies: Studies | None) -> Iterator[str]:
    """Yield what a plan does, in lines for a person."""
    selection = plan.selection
    n_done = len(plan.trainings) - len(trainings_left(plan, studies))
    n_cells = sum(len(training.cells) for training in plan.trainings.values())
    yield (
        f"{selection.table.name}, scale {selection.scale}: {n_cells} cells by {len(plan.trainings)} trainings with "
        f"{selection.n_seeds} {'seed' if selection.n_seeds == 1 else 'seeds'} each"
        + (f" ({n_done} of them done)" if n_done else "")
        + (f", {len(plan.taken)} measured already" if plan.taken else "")
        + (f", {len(plan.left_out)} left out" if plan.left_out else "")
        + "."
    )
    for study in dict.fromkeys(trial.study for _, trial in plan.taken):
        yield f"Taken from study {study}: " + "; ".join(str(cell) for cell, trial in plan.taken if trial.study == study)
    if plan.left_out:
        yield f"Why cells are left out: hnet benchmark ls {selection.table.name}"


def check_measures_something(plan: Plan) -> None:
    """Check that a cell of the selection can be measured, or was.

    Raises:
        ConfigInvalid: none can be measured here.
    """
    if plan.trainings or plan.taken:
        return
    reasons = list(dict.fromkeys(reason for _, reason in plan.left_out))
    shown = "; ".join(reasons[:3]) + ("; ..." if len(reasons) > 3 else "")
    raise ConfigInvalid(f"none of the {len(plan.left_out)} cells chosen can be measured here: {shown}.")
