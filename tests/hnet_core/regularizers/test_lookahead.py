from __future__ import annotations

import torch

from hnet_core.regularizers.lookahead import adam_lookahead


def test_the_lookahead_is_the_step_adam_then_takes_and_leaves_its_state_alone() -> None:
    torch.manual_seed(0)
    parameters = [torch.randn(3, 2, dtype=torch.float64, requires_grad=True), torch.randn(4, dtype=torch.float64)]
    parameters[1].requires_grad_()
    optimizer = torch.optim.Adam(parameters, lr=0.01, betas=(0.8, 0.95))
    for _ in range(4):
        gradients = [torch.randn_like(p) for p in parameters]
        expected = adam_lookahead(optimizer, parameters, gradients)
        again = adam_lookahead(optimizer, parameters, gradients)
        assert all(torch.equal(a, b) for a, b in zip(expected, again, strict=True))
        before = [p.detach().clone() for p in parameters]
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = gradient
        optimizer.step()
        for parameter, old, change in zip(parameters, before, expected, strict=True):
            torch.testing.assert_close(parameter.detach() - old, change, rtol=1e-9, atol=1e-12)


def test_epsilon_before_the_bias_correction_matters_only_in_the_first_steps() -> None:
    parameter = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([parameter], lr=1.0)
    gradient = torch.full((1,), 1e-7, dtype=torch.float64)
    differences = []
    for _ in range(3000):
        one = adam_lookahead(optimizer, [parameter], [gradient], "as_optimizer")[0]
        other = adam_lookahead(optimizer, [parameter], [gradient], "uncorrected")[0]
        differences.append(float((one - other).abs()))
        parameter.grad = gradient
        optimizer.step()
    assert differences[0] > 0.5
    assert differences[-1] < 0.01
