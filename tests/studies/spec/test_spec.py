"""Errors of bad specs: file, line, key and the expected value."""

from __future__ import annotations

from pathlib import Path

import pytest

from hnet_core.errors import ConfigInvalid, DatasetMissing
from studies.comparing.comparability import differences
from studies.spec.continuation import fixed_part
from studies.spec.deviations import reductions
from studies.spec.document import parse_document
from studies.spec.loading import load_spec
from sweeps.presets import open_document
from tests.sweeps.tiny import tiny_spec

TEXT = """\
# A spec without families.
study: quickstart
trial:
  stream: {name: permuted, dataset: digits, n_tasks: 10}
  scenario: task
  method: {name: hnet, beta_output: 0.01}
  target: {name: mlp, hidden: [100, 100]}
  hypernet: {name: chunked, hidden: [10, 10], activation: relu, task_embedding: 24, chunk_embedding: 8, chunk_size: 500}
  training: {iterations: 300, batch_size: 32, lr: 0.001}
search:
  method.beta_output:       {float: [0.0005, 1.0], log: true}
  hypernet.task_embedding:  {choice: [8, 12, 24, 36, 62, 96, 128]}
  hypernet.chunk_embedding: {choice: [8, 12, 24, 36, 62, 96, 128]}
  hypernet.chunk_size:      {int: [50, 1500], log: true}
objectives: {final_accuracy: maximize, compression_ratio: minimize}
constraints: {compression_ratio: "<= 1.0"}
seeds: 3
sampler: tpe
budget: {trials: 24}
variants:
  smoke: {training.iterations: 30, seeds: 1, budget.trials: 2}
"""
ROOT = Path("unused")


def load(text: str, *assignments: str) -> object:
    return load_spec(parse_document(text, "q.yaml"), ROOT, assignments)


# What to replace, with what, and the error.
# ruff: noqa: E501
WRONG = {
    "unknown method": ("name: hnet,", "name: hnt,", r"q\.yaml:6: trial\.method\.name: unknown method 'hnt'; did you mean"),
    "misspelt key": ("beta_output: 0.01", "beta_ouput: 0.01", r"q\.yaml:6: trial\.method\.beta_ouput: .* did you mean"),
    "tasks do not divide": (
        "{name: permuted, dataset: digits, n_tasks: 10}",
        "{name: split, dataset: digits, n_tasks: 3}",
        r"q\.yaml:4: trial\.stream\.n_tasks: n_tasks must divide the 10 classes of digits, got 3; use one of",
    ),
    "range the wrong way round": ("[0.0005, 1.0]", "[1.0, 0.0005]", r"q\.yaml:11: .*low must be below high.*swap them"),
    "log of zero": ("int: [50, 1500]", "int: [0, 1500]", r"q\.yaml:14: search\.hypernet\.chunk_size: log: true needs"),
    "NaN": ("lr: 0.001", "lr: .nan", r"q\.yaml:9: trial\.training\.lr: must be a finite number, got nan"),
    "NaN in a range": ("[0.0005, 1.0]", "[.nan, 1.0]", r"q\.yaml:11: search\.method\.beta_output.*finite number, got nan"),
    "empty search": ("search:", "search: {}\nx:", r"q\.yaml:10: search: must name at least one field; .*hnet trial run"),
    "searched field misspelt": ("method.beta_output:", "method.beta:", r"q\.yaml:11: search\.method\.beta: unknown key"),
    "choice out of bounds": ("[8, 12, 24,", "[0, 12, 24,", r"q\.yaml:12: search\.hypernet\.task_embedding: must be greater"),
    "no known kind of range": ("{choice: [8,", "{choise: [8,", r"q\.yaml:12: .* must be \{float: \[low, high\]\}"),
    "constraint on an unknown metric": (
        "constraints: {compression_ratio", "constraints: {compresion_ratio",
        r"q\.yaml:16: constraints\.compresion_ratio: unknown metric; did you mean 'compression_ratio'\?",
    ),
    "unreadable constraint": ('"<= 1.0"', '"about 1"', r'q\.yaml:16: constraints: .*must have a bound such as "<= 1\.0"'),
    "objective of another measure": (
        "{final_accuracy: maximize", "{final_mse: minimize", r"q\.yaml:15: objectives\.final_mse: .* measures accuracy",
    ),
    "unknown top-level key": ("seeds: 3", "seedz: 3", r"q\.yaml:17: seedz: unknown key 'seedz'; did you mean 'seeds'\?"),
    "no budget": ("{trials: 24}", "{}", r"q\.yaml:19: budget: must give trials, hours or both"),
    "grid without steps": ("sampler: tpe", "sampler: grid", r"q\.yaml:14: search\.hypernet\.chunk_size: a grid needs steps"),
    "key given twice": ("seeds: 3", "seeds: 3\nseeds: 4", r"q\.yaml:18: seeds: given twice, first on line 17"),
    "name as a list": ("name: hnet,", "name: [hnet],", r"q\.yaml:6: trial\.method\.name: unknown method \['hnet'\]"),
    "field of a value": ("method.beta_output:", "method.beta_output.x:", r"q\.yaml:11: search\.method\.beta_output\.x: .*must name one field of a block"),
    "choice that is a date": ("{choice: [8,", "{choice: [2020-01-01,", r"q\.yaml:12: .*must be a whole number, got '2020-01-01'"),
    "list as a key": ("seeds: 3", "? [a]\n: 3", r"q\.yaml:17: a key must be a word"),
    "block that contains itself": ("search:", "search: &x {a: *x}\nmore:", r"q\.yaml:10: a block that contains itself"),
    "control character": ("study: quickstart", "study: quick\x01start", r"q\.yaml:2: not valid YAML: character U\+0001"),
    "blank name": ("study: quickstart", "study: '  '", r"q\.yaml:2: study: "),
    "too many seeds": ("seeds: 3", "seeds: 1000000000", r"q\.yaml:17: seeds: must be less than or equal to 1000"),
    "hours as 1:30": ("{trials: 24}", "{hours: 1:30}", r"q\.yaml:19: budget\.hours: must be a number or null, got '1:30'"),
    "leading zero": ("seeds: 3", "seeds: 010", r"q\.yaml:17: seeds: must be a whole number, got '010'"),
    "yes for a number": ("seeds: 3", "seeds: yes", r"q\.yaml:17: seeds: must be a whole number, got 'yes'"),
    "true for a number": ("seeds: 3", "seeds: true", r"q\.yaml:17: seeds: must be a whole number, got true"),
    "number in quotes": ("[0.0005, 1.0]", "['0.0005', 1.0]", r"q\.yaml:11: search\.method\.beta_output\.float: must be a number"),
    "unknown key of a range": ("log: true", "lgo: true", r"q\.yaml:11: .*\.lgo: unknown key 'lgo'; did you mean 'log'\? known: when, log"),
    "not YAML": ("search:", "search: [", r"q\.yaml:1\d: not valid YAML"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_spec_is_refused_with_its_line_and_key(name: str) -> None:
    old, new, says = WRONG[name]
    assert old in TEXT
    with pytest.raises(ConfigInvalid, match=says):
        load(TEXT.replace(old, new, 1))


MISSPELT = {
    "budget: {trials": "budgett: {trials", "trial:": "trail:", "search:": "serach:", "  stream:": "  strem:", "  method:": "  metod:",
    "  hypernet:": "  hypernt:", "{name: hnet,": "{nmae: hnet,", "dataset: digits": "datset: digits",
}  # fmt: skip


@pytest.mark.parametrize("right", MISSPELT)
def test_a_misspelt_key_is_one_complaint_and_not_also_a_missing_one(right: str) -> None:
    with pytest.raises(ConfigInvalid, match=r"^q\.yaml:\d+: [\w.]+: unknown key '\w+'; did you mean '\w+'\?[^\n]*$"):
        load(TEXT.replace(right, MISSPELT[right], 1))


def test_a_missing_data_set_is_named_with_its_line() -> None:
    with pytest.raises(
        DatasetMissing, match=r"q\.yaml:4: trial\.stream\.dataset: unknown dataset 'digts'; did you mean"
    ):
        load(TEXT.replace("dataset: digits", "dataset: digts"))


def test_a_number_such_as_1e_3_is_a_number_everywhere() -> None:
    text = TEXT.replace("{float: [0.0005, 1.0], log: true}", "{choice: [1e-3, 1E-2, 2e0]}")
    spec = load_spec(parse_document(text, "q.yaml"), ROOT, ["training.lr=1e-4"])
    assert spec.search["method.beta_output"].examples() == [0.001, 0.01, 2.0]
    assert spec.config().training.lr == 0.0001


def test_an_error_in_a_set_names_the_set_and_not_a_line_of_the_file() -> None:
    with pytest.raises(ConfigInvalid, match=r"^--set training\.lr=-1: trial\.training\.lr: must be greater than 0"):
        load(TEXT, "training.lr=-1")


def test_everything_wrong_is_reported_one_line_each() -> None:
    with pytest.raises(ConfigInvalid) as error:
        load(TEXT.replace("name: hnet,", "name: hnt,").replace("seeds: 3", "seeds: 0").replace("lr: 0.001", "lr: -1"))
    assert [line.split(": ")[1] for line in str(error.value).splitlines()] == [
        "seeds", "trial.method.name", "trial.training.lr",
    ]  # fmt: skip


@pytest.mark.parametrize("content", ["", "- a\n- b\n", "just text"])
def test_a_file_that_is_no_mapping_is_refused(content: str) -> None:
    with pytest.raises(ConfigInvalid, match="must be a mapping"):
        load(content)


def test_a_spec_survives_the_database() -> None:
    spec = load_spec(open_document("quickstart"), ROOT)
    assert type(spec).model_validate(spec.to_dict()) == spec


def test_set_reaches_the_trial_the_budget_and_the_search() -> None:
    spec = load_spec(
        open_document("quickstart"),
        ROOT,
        [
            "training.iterations=7",
            "budget.trials=5",
            "search.hypernet.chunk_size={int: [100, 200], when: {family: hnet}}",
            "enqueue=[]",
            "seeds=1",
        ],
    )
    assert spec.config().training.iterations == 7
    assert (spec.budget.trials, spec.seeds) == (5, 1)
    assert spec.search["hypernet.chunk_size"].examples() == [100, 200]


def test_an_enqueued_trial_may_be_of_a_family_that_is_not_searched_unless_the_sampler_is_a_grid() -> None:
    fixed = "enqueue=[{family: joint}]"
    assert load_spec(open_document("quickstart"), ROOT, [fixed]).enqueue == ({"family": "joint"},)
    for wrong, reason in (
        (["enqueue=[{family: jiont}]"], r"enqueue.0: family must be one of hnet, joint, finetune, got 'jiont'"),
        (["enqueue=[{family: joint, method.beta_output: 0.1}]"], r"method.beta_output is not in play"),
        ([fixed, "families.joint={method: {name: jiont}}"], r"unknown method 'jiont'"),
        (
            [fixed, "sampler=grid", "search={family: {choice: [hnet]}}"],
            r"enqueue.0: family must be one of hnet, got 'joint'",
        ),
    ):
        with pytest.raises(ConfigInvalid, match=reason):
            load_spec(open_document("quickstart"), ROOT, wrong)


def test_a_method_that_is_set_takes_the_place_of_the_compressed_one_beside_its_references() -> None:
    spec = load_spec(open_document("quickstart"), ROOT, ["method={name: hypermask}"])
    methods = [spec.config(params).method.name for params in spec.enqueue]
    assert set(methods) == {"hypermask", "joint", "finetune"}


@pytest.mark.parametrize(
    ("assignments", "remedy"),
    [
        (["search={method.beta_output: {float: [0.1, 1.0]}}"], r"\(family joint; restrict .* when: \{family: NAME\}"),
        (["search={method.beta_output: {float: [0.1, 1.0], when: {family: hnet}}}"], r"enqueue.*--set enqueue=\[\]"),
    ],
)
def test_a_search_that_does_not_fit_the_enqueued_trials_is_refused_with_what_to_drop(
    assignments: list[str], remedy: str
) -> None:
    with pytest.raises(ConfigInvalid, match=remedy):
        load_spec(open_document("quickstart"), ROOT, assignments)
    chosen = "search={method.beta_output: {float: [0.1, 1.0], when: {family: hnet}}}"
    assert load_spec(open_document("quickstart"), ROOT, [chosen, "enqueue=[]"]).enqueue == ()


@pytest.mark.parametrize(
    ("assignment", "says"),
    [
        ("training.iterations", "--set must be key=value"),
        ("trainin.iterations=3", "unknown key 'trainin'; did you mean 'training'"),
        ("seeds.x=3", "is a value, not a block"),
        ("budget.trials=[1", "the value must be YAML"),
        (
            "training.iterations=010",
            r"^--set .*: trial\.training\.iterations: must be a whole number or null, got '010'",
        ),
        ("training.lr=yes", r"^--set .*: trial\.training\.lr: must be a number, got 'yes'"),
        ("training.iterations='8'", r"must be a whole number or null, got '8'"),
        (
            "enqueue=[{hypernet.chunk_size: 2000}]",
            r"enqueue\.0: hypernet\.chunk_size must be in its range, \[50, 1500\], got 2000",
        ),
        ("constraints={compression_ratio: '<= 1_0'}", r": constraints: compression_ratio must have a bound such"),
        ("constraints={compression_ratio: '<= 010'}", r": constraints: compression_ratio must have a bound such"),
        (
            "enqueue=[{hypernet.task_embedding: true}]",
            r"enqueue\.0: hypernet\.task_embedding must be in its range, 8, .*, got true",
        ),
        (
            "search.method.beta_output={float: [0.1, 1], when: {hypernet.chunk_size: ['60', true]}}",
            r"search\.method\.beta_output\.when: never holds",
        ),
        ("training.iterations=1e30", "must lie within 64 bits"),
        ("training.lr=1e-999", r"--set training\.lr: 1e-999 is too close to 0 for a number"),
        ("method=ewc", r"^--set method: must be a block with a name, got 'ewc'; such as --set 'method=\{name: ewc\}'"),
        ("families={a: {method: 3}}", r"families\.a\.method: must be a block with keys, got 3"),
        ("training.iterations=-3", r"trial\.training\.iterations: must be greater than or equal to 1, got -3"),
    ],
)
def test_a_wrong_set_is_refused(assignment: str, says: str) -> None:
    with pytest.raises(ConfigInvalid, match=says):
        load(TEXT, assignment)


def test_more_fields_and_choices_than_can_be_checked_in_time_are_refused() -> None:
    with pytest.raises(ConfigInvalid, match=r"must have at most 100 items, got"):
        load(TEXT, f"search={{{', '.join(f'training.x{i}: {{int: [1, 2]}}' for i in range(101))}}}")
    with pytest.raises(ConfigInvalid, match=r"must have at most 1000 items, got"):
        load(TEXT, f"search.method.beta_output={{choice: {list(range(1001))}}}")
    with pytest.raises(
        ConfigInvalid, match=r"^--set study: the value must have at most 100,000 characters, got 100,001"
    ):
        load(TEXT, f"study={'x' * 100_001}")


def test_an_error_shows_a_long_value_cut_and_at_most_twenty_of_many_complaints() -> None:
    with pytest.raises(ConfigInvalid) as error:
        load(TEXT, f"training={{{', '.join(f'x{i}: 1' for i in range(500))}}}", f"training.lr={'9' * 5000}x")
    lines = str(error.value).splitlines()
    assert len(lines) <= 20 and max(map(len, lines)) < 500


def test_a_fixed_value_between_two_steps_is_refused() -> None:
    steps = "search.method.beta_output={float: [0.1, 0.9], step: 0.1}"
    load(TEXT, steps, "enqueue=[{method.beta_output: 0.3}]")
    with pytest.raises(ConfigInvalid, match=r"must be in its range, \[0\.1, 0\.9\] in steps of 0\.1, got 0\.19"):
        load(TEXT, steps, "enqueue=[{method.beta_output: 0.19}]")


def test_a_grid_that_no_memory_holds_is_refused_with_its_size() -> None:
    tiny_steps = [f"search.{name}={{float: [1e-9, 0.5], step: 1e-9}}" for name in ("method.beta_output", "training.lr")]
    steps = "search.hypernet.chunk_size={int: [50, 1500], step: 50}"
    with pytest.raises(ConfigInvalid, match=r"sampler: a grid must have at most 100,000 points, this one has \d"):
        load(TEXT, *tiny_steps, steps, "sampler=grid")


def test_a_set_that_every_searched_family_overwrites_is_refused_and_one_that_some_keep_is_not() -> None:
    of_block, of_family = "method.freeze_depth=4", "families.hn.method.beta_output=0.25"
    with pytest.raises(
        ConfigInvalid, match=r"method.freeze_depth=4: changes nothing.*--set families\.hn\.method\.freeze"
    ):
        load_spec(open_document("partial_hnet_cifar100:reduced"), ROOT, [of_block])
    spec = load_spec(open_document("partial_hnet_cifar100:reduced"), ROOT, [of_family, "target.normalization=batch"])
    assert spec.config({"family": "hn"}).method.beta_output == 0.25  # type: ignore[attr-defined]
    assert [spec.config({"family": name}).target.normalization for name in ("hn", "lr")] == ["instance", "batch"]  # type: ignore[attr-defined]
    block = "target={name: slim_resnet18, n_filters: 8}"  # which one of the two families completes and neither replaces
    spec = load_spec(open_document("partial_hnet_cifar100:reduced"), ROOT, [block, "search.family={choice: [hn]}"])
    assert spec.config({"family": "hn"}).target.n_filters == 8  # type: ignore[attr-defined]


def test_a_study_may_be_continued_with_another_budget_more_seeds_and_another_device_and_nothing_else() -> None:
    base = tiny_spec().to_dict()
    trial = base["trial"]
    free = tiny_spec(
        budget={"hours": 2.0},
        seeds=5,
        trial={**trial, "training": {**trial["training"], "device": "cpu", "threads": 2}},
    )
    assert fixed_part(free.to_dict()) == fixed_part(base)
    bound = tiny_spec(trial={**trial, "training": {**trial["training"], "lr": 0.5}}, sampler="tpe")
    assert differences(fixed_part(base), fixed_part(bound.to_dict())) == [
        {"key": "sampler", "a": "random", "b": "tpe"},
        {"key": "trial.training.lr", "a": None, "b": 0.5},
    ]


def test_a_run_below_the_published_settings_is_labelled_reduced() -> None:
    document = open_document("split_mnist")
    assert reductions(load_spec(document, ROOT)) == ["seeds 3 instead of 20"]
    reduced = load_spec(open_document("split_mnist"), ROOT, ["training.iterations=200"])
    assert reductions(reduced) == ["training.iterations 200 instead of 2000", "seeds 3 instead of 20"]
    assert reductions(tiny_spec()) == []


def test_the_grid_of_a_range_with_steps_includes_both_ends() -> None:
    spec = tiny_spec(
        search={
            "method.beta_output": {"float": [0.1, 0.3], "step": 0.1},
            "hypernet.chunk_size": {"int": [10, 30], "step": 10},
            "hypernet.hidden": {"choice": [[10, 10], [25]]},
        },
        sampler="grid",
    )
    assert spec.search["method.beta_output"].grid() == pytest.approx([0.1, 0.2, 0.3])
    assert spec.search["hypernet.chunk_size"].grid() == [10, 20, 30]
    assert spec.planned_trials == 3
    assert tiny_spec(search=spec.to_dict()["search"], sampler="grid", budget={"trials": 99}).planned_trials == 18
