"""`hnet trial`: train or describe one configuration, without a study."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from studies import DEFAULT_URL
from sweeps.cli.option_groups import with_option_groups
from sweeps.cli.options import Assignments, Data, Database, ObjectOutput, Source, StudyName
from sweeps.cli.output_file import check_writable
from sweeps.cli.usage import App
from sweeps.duration import duration_text

if TYPE_CHECKING:
    from hnet_core.trial import TaskReport, TrialConfig, TrialResult

app = App(name="trial", help="Train or describe one configuration, without a study.")


@dataclass(frozen=True)
class ConfigurationSource:
    """The document that holds a configuration, and changes of it."""

    source: Source
    set_: Assignments = None
    family: Annotated[str | None, typer.Option(help="Family of a spec that has several.", show_default="the first")] = (
        None
    )


@app.command()
@with_option_groups
def run(
    chosen: ConfigurationSource,
    seeds: Annotated[int, typer.Option(min=1, max=1000, help="Train with seeds 0, 1, ...")] = 1,
    data: Data = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu or cuda; overrides training.device.")] = None,
    save: Annotated[
        Path | None, typer.Option(help="Write the trained model to this file, for hnet_core.load(FILE); one seed.")
    ] = None,
    *,
    result: ObjectOutput,
) -> None:
    """Train one configuration (the trial block of a spec or preset, or a bare one) and print its metrics."""
    from hnet_core.data import data_root
    from hnet_core.errors import ConfigInvalid
    from hnet_core.stacked import run_trials

    if save is not None and seeds > 1:
        raise ConfigInvalid(f"--save writes the model of one seed, got --seeds {seeds}; leave out one of the two.")
    if save is not None and result.output is not None and save.resolve() == result.output.resolve():
        raise ConfigInvalid(f"--save and -o must name different files, got {save} for both.")
    result.check()
    check_writable(save, "--save")
    config = _config(chosen, device, data_root(data))
    _refuse_too_large(config, data_root(data))
    with _TaskLine(seeds) as line:
        results = run_trials(config, range(seeds), data_root(data), on_task=line.show)
    if save is not None and line.last is not None:
        _save_model(save, config, data_root(data), line.last)
    result.write(_metrics(config, results), f"{chosen.source}: {config.method.name}")


@app.command()
@with_option_groups
def describe(chosen: ConfigurationSource, data: Data = None, *, result: ObjectOutput) -> None:
    """Count weights, bytes and arithmetic of one configuration; trains and allocates nothing."""
    from hnet_core.data import data_root

    config = _config(chosen, None, data_root(data))
    result.write(_description(config, data_root(data)), f"{chosen.source}: {config.method.name}")


@app.command()
def export(
    study: StudyName,
    number: Annotated[int, typer.Argument(help="Number of the trial.", show_default=False)],
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write.", show_default=False)],
    seed: Annotated[int, typer.Option(min=0, help="Seed of the model.")] = 0,
    db: Database = DEFAULT_URL,
    data: Data = None,
    storage: Annotated[str | None, typer.Option(help="Checkpoint location of the sweep, if it had --storage.")] = None,
) -> None:
    """Write the trained model of a trial to a file, for hnet_core.load(FILE).weights(task).

    It is read from the trial's checkpoint if that was kept (`keep: front` in the spec), else trained again, with the
    same result on the same machine.
    """
    import studies
    from hnet_core.data import data_root
    from sweeps.model_export import export_model
    from sweeps.runner import checkpoint_location

    check_writable(output, "-o")
    found = studies.open(db)
    location = checkpoint_location(found.study(study).uuid, storage)
    with _TaskLine(1) as line:
        made = export_model(found, study, number, seed, output, location, data_root(data), on_task=line.show)
    if storage is not None and not made.was_kept:
        print(f"No checkpoint of trial {number} and seed {seed} was kept in {storage}.", file=sys.stderr)
    origin = "its kept checkpoint" if made.was_kept else "trained again"
    same = (
        "the stored result, to the bit"
        if made.deviation == 0
        else (f"the stored result up to {made.deviation:.2g} on one task")
    )
    print(f"Wrote {output}: trial {number}, seed {seed}, {origin}; {same}.", file=sys.stderr)


def _config(chosen: ConfigurationSource, device: str | None, root: Path) -> TrialConfig:
    """Read and check the configuration in a document: nothing that training refuses before its first step passes.

    Raises:
        ConfigInvalid: each line names file, line and key.
    """
    from hnet_core.build import networks, steps_per_task, stream_shape
    from hnet_core.config_validation import check_trial
    from hnet_core.errors import ConfigInvalid
    from studies.spec.overrides import TRIAL_KEYS, apply_again, apply_overrides
    from studies.spec.space import of_family
    from studies.spec.spec import SweepSpec
    from sweeps.presets import open_document

    document = open_document(chosen.source)
    content = document.content
    is_spec = isinstance(content.get("trial"), dict)
    wanted = [*(chosen.set_ or []), *([] if device is None else [f"training.device={device}"])]
    apply_overrides(document, wanted, SweepSpec.model_fields if is_spec else TRIAL_KEYS)
    prefix = ("trial",) if is_spec else ()
    block = content
    if is_spec:
        block = of_family(content, chosen.family)
        apply_again(document, block)
    config, complaints = check_trial(block)
    if config is None:
        lines = [f"{document.place((*prefix, *one.path))}: {one}" for one in complaints]
        raise ConfigInvalid("\n".join(lines))
    try:
        networks(config, stream_shape(config, root))
        steps_per_task(config, root)
    except ConfigInvalid as error:
        path = (*prefix, *(error.key or "stream").split("."))
        raise ConfigInvalid(f"{document.place(path)}: {'.'.join(path)}: {error}") from None
    return config


def _refuse_too_large(config: TrialConfig, root: Path) -> None:
    from hnet_core.build import networks, stream_shape
    from hnet_core.errors import ConfigInvalid
    from hnet_core.memory_estimate import memory_complaint

    shape = stream_shape(config, root)
    complaint = memory_complaint(config, shape, networks(config, shape).counts)
    if complaint is not None:
        raise ConfigInvalid(f"{complaint}.")


def _save_model(path: Path, config: TrialConfig, root: Path, last: TaskReport) -> None:
    from hnet_core import trained_model
    from hnet_core.build import method_shape, stream_shape

    trained_model.save(path, config, method_shape(config, stream_shape(config, root)), last.checkpoint)
    print(f"Wrote {path}: the trained model, for hnet_core.load.", file=sys.stderr)


def _metrics(config: TrialConfig, results: Sequence[TrialResult]) -> dict[str, Any]:
    from studies.metrics.definitions import METRICS
    from studies.metrics.values import run_metrics
    from studies.statistics.intervals import summarise

    metrics = summarise([run_metrics(result) for result in results])
    defined = {name: value for name, value in metrics.items() if METRICS[name].measure in (None, results[0].measure)}
    return {
        **defined,
        "seeds": [result.seed for result in results],
        "config_hash": config.hash(),
        "config": config.model_dump(mode="json"),
        "device": results[0].device,
        "threads": results[0].threads,
        "data_checksum": results[0].data_checksum,
    }


def _description(config: TrialConfig, root: Path) -> dict[str, Any]:
    from hnet_core.build import idle_settings, networks, steps_per_task, stream_shape
    from hnet_core.memory_estimate import training_bytes
    from hnet_core.registry import METHODS
    from studies.metrics.values import static_metrics

    shape = stream_shape(config, root)
    parts = networks(config, shape)
    method = METHODS[config.method.name]
    first, last = (
        method.multiply_adds(config.method, parts.target, parts.hypernet, config.training.batch_size, task)
        for task in (0, shape.n_tasks - 1)
    )
    return {
        **static_metrics(parts.counts),
        "generator_weights": parts.counts.generator,
        "generator_hypernet_weights": parts.counts.generator_hypernet,
        "weights_per_further_task": parts.counts.per_task,
        "n_tasks": shape.n_tasks,
        "n_inputs": shape.n_inputs,
        "n_outputs": shape.n_outputs,
        "multiply_adds_per_step": {"first_task": first, "last_task": last},
        "training_memory_mib": training_bytes(config, shape, parts.counts) / 2**20,
        "steps": sum(steps_per_task(config, root)),
        "config_hash": config.hash(),
        "config": config.model_dump(mode="json"),
        "warnings": list(idle_settings(config, parts).values()),
    }


class _TaskLine:
    """Progress on stderr from the start on: a line per finished task; on a terminal one per seed, rewritten.

    Attributes:
        last: report of the task finished last.
    """

    def __init__(self, seeds: int) -> None:
        self.last: TaskReport | None = None
        self._of_seeds = f" of {seeds}" if seeds > 1 else ""
        self._live = sys.stderr.isatty()
        self._n_seeds = seeds
        self._n_done = 0
        self._begin = time.monotonic()
        self._seed = 0

    def __enter__(self) -> _TaskLine:
        self._begin = time.monotonic()
        print("training the first task", end="" if self._live else "\n", file=sys.stderr, flush=True)
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            print(file=sys.stderr)

    def show(self, seed: int, report: Any) -> None:
        self.last = report
        if self._live and seed != self._seed:
            print(file=sys.stderr)
        self._seed = seed
        known = [value for value in report.test if value is not None]
        mean, done = sum(known) / len(known), f"{report.task + 1}/{report.n_tasks}"
        self._n_done += 1
        n_left = self._n_seeds * report.n_tasks - self._n_done
        eta = (time.monotonic() - self._begin) / self._n_done * n_left
        text = f"seed {seed}{self._of_seeds}: task {done}, mean so far {mean:.4f}"
        text += f", ETA {duration_text(eta)}" if n_left > 0 else ""
        print(f"\r{text:<72}" if self._live else text, end="" if self._live else "\n", file=sys.stderr, flush=True)
