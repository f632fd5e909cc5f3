"""Where the task configs are, and how Hydra finds them.

Kept free of heavy imports, so that a wrong config name is answered at once.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from scorekit.errors import UsageError, nearest

if TYPE_CHECKING:
    from scorekit.tasks import ExtraTask


_OPTIONS: Final = re.compile(
    r"Could not find '[^']*?(?P<name>[^'/]*)'\s+Available options in '(?P<group>[^']+)':(?P<valid>(?:\n[ \t]+\S+)+)"
)
"""How Hydra says that a config group has no such choice."""


def builtin_folder() -> Path:
    """Folder of the energy_star configs: inside an installed package, or in the checkout of an editable install."""
    packaged = Path(__file__).resolve().parent.parent / "configs" / "energy_star"
    if packaged.is_dir():
        return packaged
    return Path(__file__).resolve().parents[3] / "configs" / "energy_star"


SERVE: Final = (
    "scorekit bench --config-name serving backend.url=http://127.0.0.1:8000 backend.model=NAME scenario.concurrency=8"
)
"""How a server is measured."""


def refuse_server(argv: Sequence[str], name: str | None) -> None:
    """Refuse a server as the backend of one of our other configs, whose protocol loads the model itself.

    Raises:
        UsageError: names the config for servers.
    """
    stem = (name or "").removesuffix(".yaml")
    if "backend=openai" in argv and stem != "serving" and (builtin_folder() / f"{stem}.yaml").is_file():
        raise UsageError(f"a server is measured by a protocol of its own, and not by that of {stem}", mend=SERVE)


def names(folder: Path) -> list[str]:
    """Config names in a folder, without the private ones that begin with an underscore."""
    return sorted(path.stem for path in folder.glob("*.yaml") if not path.name.startswith("_"))


def known(*folders: Path) -> list[str]:
    """Config names in folders, and those of the tasks that plugins bring."""
    from scorekit import tasks

    return sorted({*(name for folder in folders for name in names(folder)), *tasks.REGISTRY.plugin_names()})


def check_name(name: str, *folders: Path) -> None:
    """Refuse a config name that none of the folders holds, nor a plugin brings.

    Args:
        name: as given to `--config-name`.
        folders: where Hydra looks, the user's own first.

    Raises:
        UsageError: lists the valid names and suggests the nearest.
        PluginError: the plugin that brings it cannot be used.
    """
    for folder in folders:
        if not folder.is_dir():
            raise UsageError(f"the config folder {folder} is not there", mend="give an existing one to --config-dir")
    stem = name.removesuffix(".yaml")
    if any((folder / f"{stem}.yaml").is_file() for folder in folders):
        return
    from scorekit import tasks

    if stem in tasks.REGISTRY.plugin_names():
        tasks.extra_task(stem)
        return
    valid = known(*folders)
    close = nearest(stem, valid)
    raise UsageError(
        f"there is no config '{name}'; valid: {', '.join(valid)}",
        mend=f"did you mean --config-name {close}?" if close else "choose one of the names above",
    )


def backend_setting(key: str, name: str, *folders: Path) -> str | None:
    """What a config says of its backend, read as text: composing it would load Hydra and more, which takes seconds.

    Args:
        key: a setting such as `device`.
        name: as given to `--config-name`.
        folders: where Hydra looks, the user's own first.

    Returns:
        The value without quotation marks; None where no such config can be read, or where it does not say.
    """
    for folder in folders:
        try:
            text = (folder / f"{name.removesuffix('.yaml')}.yaml").read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            continue
        found = re.search(rf"(?m)^backend:(?:\n[ \t]+.*|\n)*?\n[ \t]+{key}:[ \t]*([^#\n]*)", text)
        return None if found is None else found[1].strip().strip("'\"")
    return None


def slug(value: str) -> str:
    """A model's name as one folder name: `org/model` becomes `org--model`, a path its last part."""
    text = str(value).rstrip("/")
    if text.startswith((".", "/", "~")) or text.count("/") > 1:
        text = text.rsplit("/", 1)[-1]
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text.replace("/", "--")).strip("-.") or "model"


def hydra_value(value: str | Path) -> str:
    """A text or path as Hydra's grammar takes it: commas, blanks and brackets would mean something there."""
    escaped = str(value).replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def names_secret(word: str) -> bool:
    """Whether an override would put a token into the files that Hydra and the run write."""
    return re.search(r"(^|[.{,+~ '\"])(token|use_auth_token|api_key)\s*[:=]", word) is not None


def config_of(task: ExtraTask) -> dict[str, Any]:
    """The config of a plugin's task: what the YAML file of one of the protocol's says."""
    from scorekit.tasks import OFFICIAL_BATCH_SIZE

    lengths = {"max_new_tokens": task.new_tokens, "min_new_tokens": task.new_tokens}
    return {
        "defaults": [
            "benchmark",
            {"backend": "pytorch"},
            {"launcher": "process"},
            {"scenario": "energy_star"},
            "_base_",
            "_self_",
        ],
        "name": task.name,
        "launcher": {"device_isolation": True, "device_isolation_action": "warn"},
        "backend": {
            "device": "cuda",
            "device_ids": 0,
            "no_weights": False,
            "model": "???",
            "task": task.hf_task,
            "torch_dtype": task.dtype,
        },
        "scenario": {
            "extra_task": task.name,
            "dataset_name": task.dataset,
            "dataset_split": task.split,
            "num_samples": task.num_samples,
            "truncation": True,
            "input_shapes": {"batch_size": OFFICIAL_BATCH_SIZE},
            **({"generate_kwargs": lengths} if task.kind == "generate" else {}),
        },
    }


def check_extra_task(config: Any) -> None:
    """Refuse a plugin's task with a model that is loaded for something else: it would be that task no more.

    Raises:
        UsageError: names both.
        PluginError: the plugin cannot be used.
    """
    from scorekit import tasks

    name, loaded_for = config.scenario.get("extra_task"), config.backend.task
    if name is not None and loaded_for != (expected := tasks.extra_task(name).hf_task):
        raise UsageError(
            f"the task {name} is measured with models for {expected}, and backend.task is {loaded_for}",
            mend="leave backend.task out, or measure another task: scorekit tasks lists them",
        )


def meant(error: BaseException) -> str | None:
    """The setting, or the choice of a group, that was meant by one which Hydra or OmegaConf refuse as unknown.

    Args:
        error: theirs, with what led to it as its causes.

    Returns:
        As it is to be given on the command line; None where nothing is like it.
    """
    from omegaconf import DictConfig
    from omegaconf.errors import ConfigAttributeError, ConfigKeyError

    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ConfigAttributeError | ConfigKeyError) and isinstance(cause.parent_node, DictConfig):
            close = nearest(str(cause.key), [str(key) for key in cause.parent_node])
            before = str(cause.full_key or cause.key).rpartition(".")[0]
            return close and f"{before}.{close}".lstrip(".")
        if found := _OPTIONS.search(str(cause)):
            close = nearest(found["name"], found["valid"].split())
            return close and f"{found['group']}={close}"
        cause = cause.__cause__
    return None


def register(config_name: str | None = None) -> None:
    """Register the config groups, the `slug` resolver and the search path with Hydra; may be called again.

    Imports optimum-benchmark, which takes some seconds.

    Args:
        config_name: as given to `--config-name`; where a plugin brings it, its config is registered too.
    """
    from hydra.core.config_store import ConfigStore
    from hydra.core.plugins import Plugins
    from omegaconf import OmegaConf

    from scorekit import tasks
    from scorekit.measuring import bridge
    from scorekit.measuring.serving.settings import OpenAISettings, ServingSettings
    from scorekit.measuring.settings import EnergyStarSettings, ProcessSettings

    bridge.apply()
    import optimum_benchmark.cli  # noqa: F401  (registers optimum-benchmark's groups)

    store = ConfigStore.instance()
    store.store(group="scenario", name="energy_star", node=EnergyStarSettings)
    store.store(group="launcher", name="process", node=ProcessSettings)
    store.store(group="backend", name="openai", node=OpenAISettings)
    store.store(group="scenario", name="serving", node=ServingSettings)
    if config_name is not None and config_name in tasks.REGISTRY.plugin_names():
        store.store(name=config_name, node=config_of(tasks.extra_task(config_name)))
    OmegaConf.register_new_resolver("slug", slug, replace=True)
    plugins = Plugins.instance()
    plugin = _search_path_plugin()
    if not any(known.__name__ == plugin.__name__ for known in plugins.discover()):
        plugins.register(plugin)


def _search_path_plugin() -> type[Any]:
    from hydra.core.config_search_path import ConfigSearchPath
    from hydra.plugins.search_path_plugin import SearchPathPlugin

    class ScorekitSearchPath(SearchPathPlugin):
        """Puts our configs last, so that a folder of one's own may build on our `_base_`."""

        def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
            search_path.append(provider="scorekit", path=f"file://{builtin_folder()}")

    return ScorekitSearchPath
