"""Matrix products into existing buffers, of one seed's matrices (m, n) or of those of stacked seeds (S, m, n).

On a CPU the batched forms cost some microseconds more per product, and a step has dozens of small ones: one seed is
therefore trained without the leading dimension.
"""

from __future__ import annotations

import torch
from torch import Tensor


def product(a: Tensor, b: Tensor, out: Tensor, alpha: float = 1.0) -> None:
    """Compute out <- alpha * a b."""
    if a.dim() == 3:
        if alpha == 1.0:
            torch.bmm(a, b, out=out)
        else:
            torch.baddbmm(out, a, b, beta=0, alpha=alpha, out=out)
    elif alpha == 1.0:
        torch.mm(a, b, out=out)
    else:
        torch.addmm(out, a, b, beta=0, alpha=alpha, out=out)


def product_and(summand: Tensor, a: Tensor, b: Tensor, out: Tensor) -> None:
    """Compute out <- summand + a b; the summand is broadcast."""
    (torch.baddbmm if a.dim() == 3 else torch.addmm)(summand, a, b, out=out)


def add_product(total: Tensor, a: Tensor, b: Tensor, alpha: float = 1.0) -> None:
    """Compute total <- total + alpha * a b."""
    if a.dim() == 3:
        total.baddbmm_(a, b, alpha=alpha)
    else:
        total.addmm_(a, b, alpha=alpha)
