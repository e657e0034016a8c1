"""Registries of data sets, streams, targets, hypernetworks, methods, task inference and generators, by name.

A component is a class with `name` and `summary` in a module of its package (all but data sets have an inner `Options`
class too); a new one is one new file. It may have `aliases`, names other papers give it: a configuration that uses one
is the same as, and is stored under, the component's own. Packages outside this tree add theirs through the entry point
groups `hnet.data`, `hnet.streams`, `hnet.targets`, `hnet.hypernets`, `hnet.methods`, `hnet.task_inference` and
`hnet.generators`, each entry naming such a class.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from typing import Any

MAX_NAMED = 15
"""Names that an error lists in full."""
N_CLOSEST = 5
"""Names that an error lists of more."""


class Registry(Mapping[str, Any]):
    """Read-only mapping from name to component class, filled on first use so that importing it costs nothing."""

    def __init__(self, kind: str, package: str) -> None:
        self.kind = kind
        self._package = package
        self._found: dict[str, Any] | None = None

    def __getitem__(self, name: str) -> Any:
        components = self._components()
        known = self._aliases().get(name, name)
        if known not in components:
            raise ValueError(f"unknown {self.kind} {name!r}{did_you_mean(name, components)}.")
        return components[known]

    def __iter__(self) -> Iterator[str]:
        return iter(self._components())

    def __len__(self) -> int:
        return len(self._components())

    def __contains__(self, name: object) -> bool:
        return name in self._components() or name in self._aliases()

    @property
    def entry_point_group(self) -> str:
        """Group of the entry points by which other distributions add components."""
        return self._package.replace("hnet_core.", "hnet.")

    @property
    def built_in(self) -> dict[str, Any]:
        """The components of this project, without those that entry points add."""
        return {name: one for name, one in self._components().items() if one.__module__.startswith(f"{self._package}.")}

    def _components(self) -> dict[str, Any]:
        if self._found is None:
            self._found = dict(sorted({**self._inside(), **self._outside()}.items()))
        return self._found

    def _aliases(self) -> dict[str, str]:
        return {alias: name for name, one in self._components().items() for alias in getattr(one, "aliases", ())}

    def _inside(self) -> dict[str, Any]:
        found = {}
        package = importlib.import_module(self._package)
        for info in pkgutil.iter_modules(package.__path__):
            module = importlib.import_module(f"{self._package}.{info.name}")
            for value in vars(module).values():
                if isinstance(value, type) and value.__module__ == module.__name__ and hasattr(value, "summary"):
                    found[value.name] = value  # type: ignore[attr-defined]
        return found

    def _outside(self) -> dict[str, Any]:
        from importlib.metadata import entry_points  # takes a tenth of the time of hnet --help

        return {entry.name: entry.load() for entry in entry_points(group=self.entry_point_group)}


def did_you_mean(name: str, known: Mapping[str, Any] | list[str], all_in: str = "") -> str:
    """Return the end of an error about an unknown name: the nearest known name, then all of them.

    Of more than `MAX_NAMED` only the closest follow, then the command or document `all_in` that has all.
    """
    names = list(known)
    close = difflib.get_close_matches(name, names, n=1)
    guess = f"; did you mean {close[0]!r}?" if close else ";"
    if len(names) <= MAX_NAMED:
        return f"{guess} known: {', '.join(names)}"
    nearest = difflib.get_close_matches(name, names, n=N_CLOSEST, cutoff=0.5)
    nearest = nearest or [each for each in names if name and name in each][:N_CLOSEST]
    shown = f"closest of {len(names)}: {', '.join(nearest)}" if nearest else f"none of {len(names)} is like it"
    return f"{guess} {shown}{all_in and f'; all: {all_in}'}"


DATASETS = Registry("dataset", "hnet_core.data")
STREAMS = Registry("stream", "hnet_core.streams")
TARGETS = Registry("target", "hnet_core.targets")
HYPERNETS = Registry("hypernet", "hnet_core.hypernets")
METHODS = Registry("method", "hnet_core.methods")
TASK_INFERENCE = Registry("task inference", "hnet_core.task_inference")
GENERATORS = Registry("generator", "hnet_core.generators")
REGISTRIES = (DATASETS, STREAMS, TARGETS, HYPERNETS, METHODS, TASK_INFERENCE, GENERATORS)
