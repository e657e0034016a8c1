"""Figures for papers by matplotlib: PDF, PNG and SVG at the width of a column and of a page of text.

matplotlib comes with `pip install 'hnet-sweeps[paper]'`. Other modules draw on the figure that this one gives them, and
so need no check of their own.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from hnet_core.errors import HnetError
from reports.drawing.scales import ContinuousScale, LogScale, ZeroLogScale

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

# Inches: one column of a two-column paper, and the text of a one-column paper.
WIDTHS = {"column": 3.25, "text": 5.5}
FORMATS = ("pdf", "png", "svg")
BLUE, VERMILLION, GREEN, GREY = "#0072b2", "#d55e00", "#00805e", "#767d85"
# Colour, line and marker of each family, as on the page.
FAMILY_COLOURS = ("#0072b2", "#c94f00", "#00805e", "#b0508a", "#94670a", "#1b1e22", "#6b7480", "#7a3fb0")
FAMILY_LINES: tuple[Any, ...] = (
    "-", (0, (5, 2)), (0, (1.5, 2)), (0, (6, 2, 1.5, 2)), (0, (3, 3)), (0, (8, 3)), (0, (2, 4)), (0, (9, 2, 2, 2)),
)  # fmt: skip
FAMILY_MARKERS = ("o", "s", "^", "D", "v", "P", "h", "X")
STYLE: Any = {
    "font.size": 8, "axes.labelsize": 8, "axes.titlesize": 8, "xtick.labelsize": 7, "ytick.labelsize": 7,
    "legend.fontsize": 7, "font.family": "sans-serif", "font.sans-serif": ["DejaVu Sans"], "axes.spines.top": False,
    "axes.spines.right": False, "axes.linewidth": 0.6, "lines.linewidth": 1.0, "pdf.fonttype": 42,
    "svg.fonttype": "none", "svg.hashsalt": "hnet", "savefig.dpi": 300, "axes.grid": True, "grid.linewidth": 0.3,
    "grid.alpha": 0.5, "legend.frameon": False, "text.usetex": False, "text.parse_math": False,
}  # fmt: skip
NO_DATE: dict[str, dict[str, Any]] = {
    "pdf": {"CreationDate": None, "Producer": None, "Creator": None},
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
}


class MatplotlibMissing(HnetError):
    """Error: matplotlib is not installed."""

    exit_code = 2


def publication_files(name: str, draw: Callable[[Figure], None], aspect: float) -> dict[str, bytes]:
    """Draw a figure in each width and format; return files by name.

    Args:
        draw: adds axes to an empty figure and draws on them.
        aspect: height over width.

    Raises:
        MatplotlibMissing: if matplotlib is not installed.
    """
    try:
        import matplotlib
        from matplotlib.figure import Figure
    except ImportError:
        raise MatplotlibMissing(
            "--figures needs matplotlib, which is not installed: pip install 'hnet-sweeps[paper]'"
        ) from None

    files = {}
    with matplotlib.rc_context(STYLE):
        for width_name, width in WIDTHS.items():
            figure = Figure(figsize=(width, max(1.1, width * aspect)), layout="constrained")
            draw(figure)
            for kind in FORMATS:
                buffer = io.BytesIO()
                figure.savefig(buffer, format=kind, metadata=NO_DATE[kind])
                files[f"{name}-{width_name}.{kind}"] = buffer.getvalue()
    return files


def set_axis(axes: Axes, which: Literal["x", "y"], scale: ContinuousScale) -> None:
    """Set scale, limits and ticks of the page on one axis; a scale of errors is no axis of a paper's figure."""
    low, high = scale.domain
    axis: Axis = axes.xaxis if which == "x" else axes.yaxis
    set_scale, set_limits = (axes.set_xscale, axes.set_xlim) if which == "x" else (axes.set_yscale, axes.set_ylim)
    if isinstance(scale, LogScale):
        set_scale("log")
    elif isinstance(scale, ZeroLogScale):
        set_scale("symlog", linthresh=scale.least, linscale=0.5)
        low = -scale.least / 2
    set_limits(low, high)
    _set_ticks(axis, scale)


def set_value_axis(axes: Axes, scale: ContinuousScale) -> None:
    """Set scale and limits of the page on the y axis; the ticks of a linear one are those of matplotlib."""
    if isinstance(scale, LogScale):
        axes.set_yscale("log")
        _set_ticks(axes.yaxis, scale)
    axes.set_ylim(*scale.domain)


def _set_ticks(axis: Axis, scale: ContinuousScale) -> None:
    """Set the labelled ticks of the page, since those of matplotlib need math text on a logarithmic axis."""
    from matplotlib.ticker import NullLocator

    ticks = [tick for tick in scale.ticks() if tick.label]
    axis.set_ticks([tick.value for tick in ticks], labels=[tick.label for tick in ticks])
    axis.set_minor_locator(NullLocator())
