"""The Gram and the direct form of the regulariser against the plain one, in float64."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from hnet_core.engines.kernels.flat_theta import FlatTheta
from hnet_core.engines.output_drift import last_layer_inputs as rows
from hnet_core.engines.output_drift.output_drift import Form, OutputDrift, gram_is_cheaper
from hnet_core.hypernets import Hypernet
from hnet_core.hypernets.chunked import ChunkedHypernet
from hnet_core.regularizers.output import OutputRegularizer
from tests.hnet_core.engines.shapes import Example, chunked, example, examples, full, relative_error

FORMS: list[Form] = ["gram", "direct"]


def plain(case: Example, kept: Tensor | None, tasks: list[int] | None) -> tuple[float, list[Tensor]]:
    regularizer = OutputRegularizer(case.hypernet, case.theta_before, case.embeddings, kept)
    value, gradient = regularizer.gradient(case.theta, tasks)
    return float(value), gradient


def fast(
    case: Example, kept: Tensor | None, tasks: list[int] | None, form: Form, beta: float = 1.0
) -> tuple[float, FlatTheta]:
    n_drawn = None if tasks is None else len(tasks)
    drift = OutputDrift(case.layout, case.flat(case.theta_before), case.embeddings, kept, n_drawn, form)
    drift.lookahead.set_to(case.flat(case.theta))
    gradient = FlatTheta.zeros(case.layout, case.theta[0])
    drift.draw(tasks)
    value = drift.add_gradient(gradient, beta, want_value=True)
    return 0.0 if value is None else float(value), gradient


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=60, deadline=None)
@given(case=examples(), data=st.data())
def test_value_and_gradient_equal_those_of_the_plain_loop(form: Form, case: Example, data: st.DataObject) -> None:
    kept = case.mask(1) if data.draw(st.booleans(), label="masked") else None
    n_previous = len(case.embeddings)
    n_drawn = data.draw(st.integers(1, n_previous), label="drawn")
    tasks = data.draw(st.permutations(range(n_previous)), label="tasks")[:n_drawn] if n_drawn < n_previous else None
    value, gradient = plain(case, kept, tasks)
    fast_value, fast_gradient = fast(case, kept, tasks, form)
    assert fast_value == pytest.approx(value, rel=1e-10, abs=1e-30)
    assert relative_error(fast_gradient.parts(), gradient) < 1e-10


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("hypernet", [chunked(57, 10), chunked(60, 10, ()), full(30)], ids=["cut", "linear", "full"])
def test_row_blocks_change_nothing(hypernet: Hypernet, form: Form, monkeypatch: pytest.MonkeyPatch) -> None:
    case = example(hypernet, n_previous=3)
    whole = fast(case, None, None, form)
    monkeypatch.setattr(rows, "BLOCK_COLUMNS", 4)
    value, gradient = fast(case, None, None, form)
    assert value == pytest.approx(whole[0], rel=1e-12)
    assert relative_error([gradient.flat], [whole[1].flat]) < 1e-12


@pytest.mark.parametrize("form", FORMS)
def test_own_heads_only_as_in_the_official_cifar_code(form: Form) -> None:
    """All weights but the heads are kept for all tasks, of the last 3 x (4 + 1) weights only a task's own head."""
    case = example(chunked(52, 10), n_previous=3)
    kept = torch.ones(3, 52, dtype=torch.bool)
    kept[:, 37:] = False
    for task in range(3):
        kept[task, 37 + 4 * task : 41 + 4 * task] = True
        kept[task, 49 + task] = True
    value, gradient = plain(case, kept, None)
    fast_value, fast_gradient = fast(case, kept, None, form)
    assert fast_value == pytest.approx(value, rel=1e-10)
    assert relative_error(fast_gradient.parts(), gradient) < 1e-10


def test_the_regulariser_is_linear_in_beta_and_adds_to_what_is_there() -> None:
    case = example(chunked(57, 10), n_previous=2)
    _, once = fast(case, None, None, "gram", beta=1.0)
    _, thrice = fast(case, None, None, "gram", beta=3.0)
    assert relative_error([thrice.flat], [3 * once.flat]) < 1e-12
    drift = OutputDrift(case.layout, case.flat(case.theta_before), case.embeddings, form="gram")
    drift.lookahead.set_to(case.flat(case.theta))
    gradient = FlatTheta(case.layout, torch.ones_like(once.flat))
    assert drift.add_gradient(gradient, 1.0) is None, "the value is not computed unless it is wanted"
    for ours, expected in zip(gradient.parts(), once.parts(), strict=True):
        assert relative_error([ours], [1 + expected]) < 1e-12


@pytest.mark.parametrize("form", FORMS)
def test_nothing_has_drifted_where_nothing_moved(form: Form) -> None:
    case = example(chunked(57, 10), n_previous=3)
    value, gradient = fast(replace(case, theta=case.theta_before), None, None, form)
    assert value == pytest.approx(0, abs=1e-25)
    assert float(gradient.flat.abs().max()) < 1e-12


def test_the_value_of_a_hypernetwork_small_enough_to_do_by_hand() -> None:
    """One chunk of two outputs, no hidden layer, z = [e; c] with e = 2 then 3, c = 1.

    W = [[1, 10], [2, 20]], b = [0, 0]; moved: W[0, 0] by 0.5 (times e), b[1] by 0.25, c by 0.1 (times 10 and 20).
    Drift of task 1: [0.5 * 2 + 1, 2 + 0.25] = [2, 2.25]; of task 2: [0.5 * 3 + 1, 2.25] = [2.5, 2.25].
    """
    before = [
        torch.tensor([[1.0]], dtype=torch.float64),
        torch.tensor([[1.0, 10.0], [2.0, 20.0]], dtype=torch.float64),
        torch.zeros(2, dtype=torch.float64),
    ]
    after = [part.clone() for part in before]
    after[0] += 0.1
    after[1][0, 0] += 0.5
    after[2][1] += 0.25
    embeddings = torch.tensor([[2.0], [3.0]], dtype=torch.float64)
    options = ChunkedHypernet.Options(name="chunked", chunk_size=2, hidden=(), task_embedding=1, chunk_embedding=1)
    case = Example(ChunkedHypernet(options, ((2,),)), before, after, embeddings)
    expected = ((2**2 + 2.25**2) + (2.5**2 + 2.25**2)) / 2
    assert plain(case, None, None)[0] == pytest.approx(expected, rel=1e-12)
    for form in FORMS:
        assert fast(case, None, None, form)[0] == pytest.approx(expected, rel=1e-12)


def test_another_number_of_drawn_tasks_than_announced_is_refused() -> None:
    case = example(chunked(57, 10), n_previous=3)
    drift = OutputDrift(case.layout, case.flat(case.theta_before), case.embeddings, n_drawn=2)
    with pytest.raises(ValueError, match="2 previous tasks must be given, got 3"):
        drift.draw([0, 1, 2])


def test_the_flop_rule_takes_products_where_rows_are_many_and_generates_where_they_are_few() -> None:
    wide = example(chunked(100_000, 1_000, (40, 40)), n_previous=1).layout
    assert gram_is_cheaper(wide, n_whole=100, n_tasks=10)
    assert not gram_is_cheaper(wide, n_whole=10, n_tasks=1)
    linear = example(chunked(4_000, 1_000, ()), n_previous=1).layout
    assert gram_is_cheaper(linear, n_whole=4, n_tasks=100), "without a hidden layer more tasks cost nothing"


def test_memory_holds_no_generated_weights_of_previous_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    """h numbers per chunk and previous task are kept, not the chunk's outputs; rows are worked off in blocks."""
    monkeypatch.setattr(rows, "BLOCK_COLUMNS", 1_000)
    few, many = (kept_numbers(n_previous) for n_previous in (20, 40))
    layout = example(chunked(50_000, 1_000), n_previous=1).layout
    assert (many - few) / 20 == pytest.approx(layout.h * layout.n_chunks, rel=0.1)


def kept_numbers(n_previous: int) -> int:
    """Count the numbers in all tensors reachable from an OutputDrift, shared memory once."""
    case = example(chunked(50_000, 1_000), n_previous=n_previous)
    drift = OutputDrift(case.layout, case.flat(case.theta_before), case.embeddings, form="gram")
    storages: dict[int, int] = {}
    pending: list[object] = [drift]
    seen: set[int] = set()
    while pending:
        item = pending.pop()
        if id(item) in seen:
            continue
        seen.add(id(item))
        if isinstance(item, Tensor):
            storages[item.untyped_storage().data_ptr()] = item.untyped_storage().nbytes() // item.element_size()
        elif isinstance(item, dict):
            pending.extend(item.values())
        elif isinstance(item, list | tuple):
            pending.extend(item)
        elif type(item).__module__.startswith("hnet_core"):
            pending.extend(vars(item).values())
    return sum(storages.values())
