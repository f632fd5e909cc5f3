"""Config names, their nearest matches, and a model's name as a folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from scorekit.errors import UsageError
from scorekit.measuring import configs
from scorekit.tasks import SERVING, TASKS


def test_there_is_one_config_for_each_task_and_one_for_servers() -> None:
    assert configs.names(configs.builtin_folder()) == sorted([*TASKS, SERVING])


@pytest.mark.parametrize("name", ["text_generation", "reasoning.yaml"])
def test_a_server_is_no_backend_of_a_task(name: str) -> None:
    with pytest.raises(UsageError, match="a protocol of its own") as caught:
        configs.refuse_server(["backend=openai"], name)
    assert caught.value.mend == configs.SERVE
    assert "--config-name serving" in configs.SERVE


def test_a_server_is_the_backend_of_its_own_config_and_of_other_peoples() -> None:
    for name in ("serving", "mine", None):
        configs.refuse_server(["backend=openai"], name)
    configs.refuse_server(["backend=pytorch"], "text_generation")


def test_private_configs_are_not_listed(tmp_path: Path) -> None:
    for name in ("_base_.yaml", "mine.yaml", "notes.txt"):
        (tmp_path / name).touch()
    assert configs.names(tmp_path) == ["mine"]


@pytest.mark.parametrize("name", ["text_generation", "text_generation.yaml", "_base_"])
def test_a_config_that_is_there_is_taken(name: str) -> None:
    configs.check_name(name, configs.builtin_folder())


def test_an_unknown_name_lists_the_valid_ones_and_suggests_the_nearest() -> None:
    with pytest.raises(UsageError) as caught:
        configs.check_name("text_genration", configs.builtin_folder())
    assert "'text_genration'" in caught.value.message
    assert all(name in caught.value.message for name in TASKS)
    assert caught.value.mend == "did you mean --config-name text_generation?"


def test_a_name_like_no_other_is_given_no_suggestion() -> None:
    with pytest.raises(UsageError) as caught:
        configs.check_name("zzz", configs.builtin_folder())
    assert caught.value.mend == "choose one of the names above"


def test_an_empty_or_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no config 'text_generation'"):
        configs.check_name("text_generation", tmp_path)
    with pytest.raises(UsageError, match="nowhere is not there"):
        configs.check_name("text_generation", tmp_path / "nowhere")


def test_a_name_of_either_folder_is_taken(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").touch()
    configs.check_name("mine", tmp_path, configs.builtin_folder())
    configs.check_name("text_generation", tmp_path, configs.builtin_folder())
    with pytest.raises(UsageError, match=r"valid: .*mine.*text_generation"):
        configs.check_name("unheard_of", tmp_path, configs.builtin_folder())


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("org/model-1.5", "org--model-1.5"),
        ("gpt2", "gpt2"),
        ("/home/someone/models/tiny-llama/", "tiny-llama"),
        ("./tiny llama", "tiny-llama"),
        ("../models/m", "m"),
        ("~/models/m", "m"),
        ("models/org/m", "m"),
        ("org/mödel", "org--m-del"),
        ("..", "model"),
        ("", "model"),
    ],
)
def test_slug_is_one_folder_name(value: str, expected: str) -> None:
    assert configs.slug(value) == expected


def test_registering_twice_does_no_harm() -> None:
    from hydra.core.config_store import ConfigStore
    from hydra.core.plugins import Plugins
    from hydra.plugins.search_path_plugin import SearchPathPlugin

    configs.register()
    configs.register()
    ours = [
        plugin for plugin in Plugins.instance().discover(SearchPathPlugin) if plugin.__name__ == "ScorekitSearchPath"
    ]
    assert len(ours) == 1
    assert "energy_star.yaml" in ConfigStore.instance().list("scenario")
