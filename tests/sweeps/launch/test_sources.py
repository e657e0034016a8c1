"""Sources are found by the names that are listed, and by nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from hnet_core.errors import ConfigInvalid, NotFound
from studies.database.open_database import connect
from studies.queries.studies import Studies
from sweeps.launch.sources import find_source, list_sources, spec_files
from sweeps.presets import preset_text

BROKEN = (
    "study: bad\ntrial: {stream: {nme: split}}\nsearch: {method.beta_output: {float: [1, 0]}}\nbudget: {trials: 1}\n"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    specs = tmp_path_factory.mktemp("sources") / "specs"
    (specs / "inner").mkdir(parents=True)
    (specs / "mine.yaml").write_text(preset_text("quickstart"))
    (specs / "a:b.yml").write_text(preset_text("quickstart"))
    (specs / "broken.yaml").write_text(BROKEN)
    (specs / ".hidden.yaml").write_text(BROKEN)
    (specs / "notes.txt").write_text("")
    (specs / "inner" / "deep.yaml").write_text(BROKEN)
    (specs.parent / "secret.yaml").write_text(BROKEN)
    (specs / "link.yaml").symlink_to(specs.parent / "secret.yaml")
    return specs


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> Studies:
    return Studies(connect(str(tmp_path_factory.mktemp("studies") / "runs.db"), create=True))


def test_only_the_yaml_files_of_the_folder_itself_are_listed(folder: Path) -> None:
    assert list(spec_files(folder)) == ["a:b.yml", "broken.yaml", "mine.yaml"]
    assert spec_files(None) == {}


def test_every_source_that_is_listed_is_found_again(folder: Path, studies: Studies) -> None:
    listed = list(list_sources(folder, studies))
    assert {source.kind for source in listed} == {"file", "preset", "table"}
    assert {"mine.yaml:smoke", "a:b.yml:smoke", "quickstart:smoke", "vonoswald2020:table1"} <= {
        one.name for one in listed
    }
    for source in listed:
        found = find_source(source.kind, source.name, folder, studies)
        assert (found.kind, found.name, found.argument) == (source.kind, source.name, source.argument)
    assert find_source("file", "a:b.yml:smoke", folder, studies).spec().study == "quickstart_smoke"


@pytest.mark.parametrize("kind", ["preset", "file", "table"])
@pytest.mark.parametrize(
    "name",
    [
        "",
        "../secret.yaml",
        "/etc/passwd",
        "inner/deep.yaml",
        ".hidden.yaml",
        "link.yaml",
        "notes.txt",
        "quickstart:nothing",
        "mine.yaml:nothing",
        "mine.yaml:/../../secret.yaml",
        "quickstart:../../secret.yaml",
        "sqlite:///runs.db",
        "os.system",
        "--db=x",
        "mine.yaml\0",
        "1; drop table study",
    ],
)
def test_a_path_a_module_or_an_address_is_no_source(kind: str, name: str, folder: Path, studies: Studies) -> None:
    with pytest.raises(NotFound):
        find_source(kind, name, folder, studies)


@pytest.mark.parametrize("kind", ["", "presets", "module", "../preset"])
def test_there_are_three_kinds_of_sources(kind: str, folder: Path, studies: Studies) -> None:
    with pytest.raises(NotFound, match="must be one of preset, file, table"):
        find_source(kind, "quickstart", folder, studies)


def test_a_spec_that_is_wrong_is_explained_with_file_line_and_key_without_its_folder(
    folder: Path, studies: Studies
) -> None:
    with pytest.raises(ConfigInvalid) as caught:
        find_source("file", "broken.yaml", folder, studies).spec()
    lines = str(caught.value).splitlines()
    assert "broken.yaml:2: trial.stream.nme: unknown key 'nme'; did you mean 'name'?" in lines
    assert all(line.startswith("broken.yaml:") for line in lines)
