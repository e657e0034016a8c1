"""Results of perf.step, trial, processes and sweep as sections of docs/performance.md: `python -m perf.report`."""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import torch

from perf import processes, step, sweep, trial
from perf.settings import REGULARIZERS, STEPS

PAGE = Path(__file__).parent.parent / "docs" / "performance.md"


def replace_section(page: str, name: str, content: str) -> str:
    """Replace the content between the two marks of a section of a page."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    if page.count(begin) != 1 or page.count(end) != 1:
        raise ValueError(f"the page must have the marks {begin} and {end} once each; put them back.")
    before, rest = page.split(begin)
    return f"{before}{begin}\n{content.strip()}\n{end}{rest.split(end)[1]}"


def step_section(rows: list[step.StepTiming], circumstances: str) -> str:
    """Return the tables of single steps and of the regulariser, with a summary."""
    lines = [circumstances, ""]
    for what, title in (("step", "Whole step"), ("regularizer", "Regulariser alone: value and gradient")):
        chosen = [row for row in rows if row.what == what]
        if chosen:
            lines += [f"**{title}**", "", *_table(chosen), ""]
    return "\n".join([*lines, "**In short**", "", *summary(rows)])


def summary(rows: list[step.StepTiming]) -> list[str]:
    """Return one line per key figure of the measured settings."""
    ms = {(row.setting, row.what, row.engine, row.task): row.ms for row in rows}
    tasks: dict[tuple[str, str], list[int]] = {}
    for setting, what, engine, task in ms:
        if engine == "fast":
            tasks.setdefault((setting, what), []).append(task)
    lines = []
    for (setting, what), found in tasks.items():
        plain, fast = ([ms[setting, what, engine, task] for task in found] for engine in ("plain", "fast"))
        last = found[-1]
        lines.append(
            f"- {setting}, {what}: fast is {sum(plain) / sum(fast):.1f} times plain over tasks "
            f"{', '.join(map(str, found))} (ratio of mean times), {plain[-1] / fast[-1]:.1f} times at task {last}."
        )
        if 2 in found and last > 2:
            growth = fast[-1] / fast[found.index(2)]
            lines.append(f"- {setting}, {what}: fast takes {growth:.2f} times as long at task {last} as at task 2.")
    memory = {row.task: row.peak_mib for row in rows if row.setting == "permuted_mnist_100" and row.engine == "fast"}
    known = {task: mib for task, mib in memory.items() if mib is not None}
    if len(known) > 1:
        first, last = min(known), max(known)
        per_task = (known[last] - known[first]) / (last - first)
        lines.append(f"- permuted_mnist_100: fast needs {per_task:.2f} MiB more per previous task.")
    return lines


def trial_section(rows: list[dict[str, Any]], circumstances: str) -> str:
    """Return a table of accuracy and time of complete trials, mean and standard deviation over seeds."""
    lines = [
        circumstances,
        "",
        "| setting | engine | trials at a time | iterations per task | seeds | accuracy (mean +- sd) | training, s |",
        "|---|---|---|---|---|---|---|",
    ]
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in rows:
        key = row["setting"], row["engine"], row["processes"], row["iterations"]
        groups.setdefault(key, []).append(row)
    for (setting, engine, at_a_time, iterations), group in groups.items():
        accuracy = _mean_and_deviation([100 * row["accuracy"] for row in group], 3)
        seconds = _mean_and_deviation([row["seconds"] for row in group], 0)
        lines.append(f"| {setting} | {engine} | {at_a_time} | {iterations} | {len(group)} | {accuracy} % | {seconds} |")
    return "\n".join(lines)


def processes_section(rows: list[dict[str, Any]], circumstances: str) -> str:
    """Return a table of the trials per minute of several workers against one."""
    lines = [
        circumstances,
        "",
        "| setting | engine | workers | trials per minute | against one (quartiles) | rounds | without waiting |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        ratio = f"{row['ratio']:.2f} ({row['ratio_low']:.2f} to {row['ratio_high']:.2f})"
        lines.append(
            f"| {row['setting']}, {row['iterations']} iterations | {row['engine']} | {row['processes']} "
            f"| {60 * row['trials_per_second']:.2f} | {ratio} | {row['rounds']} | {row['cpu_ratio']:.2f} |"
        )
    return "\n".join(lines)


def sweep_section(rows: list[dict[str, Any]], circumstances: str) -> str:
    """Return a table of the processor time per trial that trains nothing."""
    lines = [circumstances, "", "| what | after trials | ms per trial | of it asking | the rest |", "|" + "---|" * 5]
    for row in rows:
        times = " | ".join(f"{row[key]:.1f}" for key in ("cpu_ms", "ask_ms", "rest_ms"))
        lines.append(f"| {row['what']} | {row['after_trials']:,} | {times} |")
    return "\n".join(lines)


def endurance_section(rows: list[dict[str, Any]], circumstances: str) -> str:
    """Return a table of the results of very long studies."""
    columns = (
        "database | sampler | trials | COMPLETE | problems | minutes | ms per trial | driver, peak MiB | database, MiB"
    )
    lines = [circumstances, "", f"| {columns} |", "|" + "---|" * 9]
    return "\n".join([*lines, *map(_endurance_line, rows)])


def _endurance_line(row: dict[str, Any]) -> str:
    return (
        f"| {row['database']} | {row['sampler']} | {row['trials']:,} | {row['complete']:,} | {row['problems']} "
        f"| {row['minutes']:.1f} | {row['cpu_ms_per_trial']:.1f} | {row['peak_driver_mib']:.0f} "
        f"| {row['database_mib']:.0f} |"
    )


def circumstances() -> str:
    """Return date, machine and versions of a measurement."""
    cpus = os.cpu_count()
    return f"Measured {date.today().isoformat()} on {_processor()}, {cpus} CPUs, torch {torch.__version__}, one thread"


Kind = type[trial.TrialTiming | processes.ScalingTiming | sweep.ServiceCost | sweep.Endurance]


def _rows(name: str, paths: list[Path], kind: Kind) -> list[dict[str, Any]]:
    """Read files written by --json of a measurement: a list of rows, or one row."""
    known = set(kind.__dataclass_fields__)
    contents = [json.loads(path.read_text()) for path in paths]
    found = [row for content in contents for row in (content if isinstance(content, list) else [content])]
    if any(set(row) != known for row in found):
        raise SystemExit(
            f"--{name} must be the output of {kind.__module__} --json: rows of {', '.join(sorted(known))}."
        )
    return found


def _table(rows: Iterable[step.StepTiming]) -> list[str]:
    lines = ["| setting | task | engine | ms | plain / this | share of GEMM rate | peak MiB | |", "|" + "---|" * 8]
    for row in rows:
        memory = "" if row.peak_mib is None else f"{row.peak_mib:.0f}"
        note = row.note if row.engine == "plain" else ""
        lines.append(
            f"| {row.setting} | {row.task} | {row.engine} | {row.ms:.2f} | {row.ratio:.2f} | {row.gemm_share:.2f} "
            f"| {memory} | {note} |"
        )
    return lines


def _mean_and_deviation(values: list[float], digits: int) -> str:
    mean = f"{statistics.fmean(values):.{digits}f}"
    return mean if len(values) == 1 else f"{mean} +- {statistics.stdev(values):.{digits}f}"


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m perf.report", description=__doc__)
    parser.add_argument("--trials", type=Path, action="append", default=[], help="output of perf.trial --json")
    parser.add_argument("--processes", type=Path, action="append", default=[], help="output of perf.processes --json")
    parser.add_argument("--sweep", type=Path, action="append", default=[], help="output of perf.sweep --json")
    parser.add_argument("--endurance", type=Path, nargs="+", default=[], help="outputs of perf.sweep --endurance")
    parser.add_argument("--no-steps", action="store_true", help="leave the tables of single steps as they are")
    parser.add_argument("--data", help="data root; left out: HNET_DATA")
    given = parser.parse_args()
    torch.set_num_threads(1)
    here, load = circumstances(), os.getloadavg()[0]
    page = PAGE.read_text()
    if not given.no_steps:
        settings = list(dict.fromkeys([*STEPS, *REGULARIZERS]))
        rows = list(step.measure(settings, ["step", "regularizer"], given.data))
        page = replace_section(page, "steps", step_section(rows, f"{here}, load {load:.1f} at the start."))
    if given.trials:
        found = _rows("trials", given.trials, trial.TrialTiming)
        clock = f"{here}; training times are wall times, other load on the machine included."
        page = replace_section(page, "trials", trial_section(found, clock))
    if given.processes:
        found = _rows("processes", given.processes, processes.ScalingTiming)
        page = replace_section(page, "processes", processes_section(found, f"{here} each."))
    if given.sweep:
        found = _rows("sweep", given.sweep, sweep.ServiceCost)
        page = replace_section(page, "sweeps", sweep_section(found, f"{here}; processor time."))
    if given.endurance:
        found = _rows("endurance", given.endurance, sweep.Endurance)
        page = replace_section(page, "endurance", endurance_section(found, f"{here}; ms are of processor time."))
    PAGE.write_text(page)
    print(f"wrote {PAGE.relative_to(Path.cwd()) if PAGE.is_relative_to(Path.cwd()) else PAGE}")


if __name__ == "__main__":
    main()
