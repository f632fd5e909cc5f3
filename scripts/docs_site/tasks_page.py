"""The page of task configs: what the registry says of each task, and the config's own text."""

from __future__ import annotations

from scripts.docs_site.markdown import table

from scorekit import tasks
from scorekit.measuring import configs

_INTRODUCTION = """\
# Task configs

`scorekit bench --config-name NAME` measures by the config of that name. Each is a YAML file of `configs/energy_star`,
in optimum-benchmark's form, and carries [the official protocol](../methodology.md#the-official-protocol). Anything in
it may be changed as SETTING=VALUE; the score then says whether it is still comparable. `scorekit bench --config-name
NAME --cfg job` prints a config with everything that it inherits.
"""


def page() -> str:
    """The whole page."""
    rows = [
        (
            f"[`{task.name}`](#{task.name})",
            f"`{task.cohort}`",
            f"`{task.dataset}`",
            " + ".join(task.counted_phases),
            task.dtype,
            "its own choice, or none" if task.new_tokens is None else str(task.new_tokens),
            "A, B, C" if task.has_classes else "none",
        )
        for task in tasks.TASKS.values()
    ]
    head = ("config", "leaderboard", "dataset", "counted", "dtype", "new tokens", "classes")
    folder = configs.builtin_folder()
    names = [*tasks.TASKS, *(name for name in configs.names(folder) if name not in tasks.TASKS)]
    shown = [("_base_", "What all of them share"), *((name, name) for name in names)]
    parts = [
        f"## {title}\n\n```yaml\n{(folder / f'{name}.yaml').read_text(encoding='utf-8')}```" for name, title in shown
    ]
    return "\n\n".join([_INTRODUCTION + "\n" + table(head, rows), *parts]) + "\n"
