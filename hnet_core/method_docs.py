"""docs/methods/README.md, generated from the methods: `python -m hnet_core.method_docs > docs/methods/README.md`."""

from __future__ import annotations

from typing import Any

from hnet_core.build import method_shape, networks
from hnet_core.config_validation import parse_trial
from hnet_core.errors import ConfigInvalid
from hnet_core.registry import METHODS
from hnet_core.streams import StreamShape

HEAD = """# Methods

Made by `python -m hnet_core.method_docs`. Definitions of the weight counts: [compression.md](../compression.md); how to
add a method: [adding_a_method.md](../adding_a_method.md).

"""

# Split MNIST with the published networks of von Oswald et al. (2020).
EXAMPLE: dict[str, Any] = {
    "stream": {"name": "split", "dataset": "mnist", "n_tasks": 5},
    "target": {"name": "mlp", "hidden": [400, 400]},
    "hypernet": {"name": "chunked", "chunk_size": 42_000, "task_embedding": 96, "chunk_embedding": 96},
}
EXAMPLE_SHAPE = StreamShape(n_tasks=5, input_shape=(28, 28), outputs_per_task=2)
STORED = """## Stored weights, by example

Counts of each method with its default options on split MNIST: 5 tasks, target network 784-400-400-10 (or one head of
2 outputs for all tasks, where the method has a single head), hypernetwork `chunked` with `chunk_size` 42000.
[compression.md](../compression.md) defines the columns.

"""
COLUMNS = {
    "target": "target weights",
    "model": "model weights",
    "per_task": "further task",
    "mask_bits": "mask bits",
    "memory_bytes": "memory bytes",
    "inference": "inference multiply-adds",
    "generation": "generation multiply-adds",
}


def methods_markdown() -> str:
    """Return the options of every method of this project, and a table of the weights each one stores."""
    methods = METHODS.built_in
    return HEAD + "\n".join(_section(name, method) for name, method in methods.items()) + "\n" + _stored(list(methods))


def _section(name: str, method: Any) -> str:
    fields = {key: field for key, field in method.Options.model_fields.items() if key != "name"}
    more = "" if method.page is None else f" [More]({method.page}.md)"
    lines = [f"## `{name}`", "", f"{method.summary[0].upper()}{method.summary[1:]}.{more}", ""]
    if fields:
        lines += ["| option | default | meaning |", "|---|---|---|"]
        lines += [f"| `{key}` | `{field.default}` | {field.description or ''} |" for key, field in fields.items()]
        lines.append("")
    return "\n".join(lines)


def _stored(names: list[str]) -> str:
    head = f"| method | {' | '.join(COLUMNS.values())} |\n|---|{'--:|' * len(COLUMNS)}\n"
    return STORED + head + "".join(f"| `{name}` | {' | '.join(_counts(name))} |\n" for name in names)


def _counts(name: str) -> list[str]:
    try:
        config = parse_trial({**EXAMPLE, "method": {"name": name}})
        counts = networks(config, method_shape(config, EXAMPLE_SHAPE)).counts
    except ConfigInvalid as reason:
        return [str(reason), *[""] * (len(COLUMNS) - 1)]
    numbers = (getattr(counts, column) for column in COLUMNS)
    return ["" if number is None else f"{number:,}" for number in numbers]


if __name__ == "__main__":
    print(methods_markdown(), end="")
