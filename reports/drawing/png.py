"""Arrays of pixels as PNG, in a file or inside a drawing."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING

from markupsafe import Markup

from reports.drawing.svg import element

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def png_bytes(pixels: NDArray[np.uint8]) -> bytes:
    """Encode pixels as a PNG file.

    Args:
        pixels: grey (height, width) or (height, width, 1), RGB (height, width, 3), or RGBA (height, width, 4).
    """
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(pixels.squeeze(-1) if pixels.shape[2:] == (1,) else pixels).save(file, "PNG")
    return file.getvalue()


def pixel_image(pixels: NDArray[np.uint8], corner: tuple[float, float], size: tuple[float, float]) -> Markup:
    """Draw pixels as sharp squares.

    Args:
        pixels: as in `png_bytes`.
        corner: (x, y) of the top left in the coordinates of the drawing.
        size: (width, height) there.
    """
    address = Markup("data:image/png;base64," + base64.b64encode(png_bytes(pixels)).decode())
    (x, y), (width, height) = corner, size
    return element("image", href=address, image_rendering="pixelated", x=x, y=y, width=width, height=height)
