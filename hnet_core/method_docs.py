"""docs/methods/README.md, made from the registry: `python -m hnet_core.method_docs > docs/methods/README.md`."""

from __future__ import annotations

from typing import Any

from hnet_core.registry import METHODS

PAGES = {"finetune": "baselines", "joint": "baselines", "scratch": "baselines"}

HEAD = """# Methods

Made by `python -m hnet_core.method_docs`. What the numbers of weights mean: [compression.md](../compression.md); how to
add a method: [adding_a_method.md](../adding_a_method.md).

"""


def methods_markdown() -> str:
    """Every method with its options, their defaults and what they mean."""
    return HEAD + "\n".join(_section(name, method) for name, method in METHODS.items())


def _section(name: str, method: Any) -> str:
    fields = {key: field for key, field in method.Options.model_fields.items() if key != "name"}
    lines = [
        f"## `{name}`",
        "",
        f"{method.summary[0].upper()}{method.summary[1:]}. [More]({PAGES.get(name, name)}.md)",
        "",
    ]
    if fields:
        lines += ["| option | default | meaning |", "|---|---|---|"]
        lines += [f"| `{key}` | `{field.default}` | {field.description or ''} |" for key, field in fields.items()]
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    print(methods_markdown(), end="")
