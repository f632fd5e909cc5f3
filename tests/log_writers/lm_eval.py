"""Results files as lm-evaluation-harness writes them, made up: keys, order and odd values are its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

DATE = 1764500000.25
SHA = "0123456789abcdef0123456789abcdef01234567"


def document(
    model: str | None = "example/model-1b",
    tasks: dict[str, dict[str, Any]] | None = None,
    *,
    groups: dict[str, dict[str, Any]] | None = None,
    subtasks: dict[str, list[str]] | None = None,
    arguments: str | dict[str, Any] | None = None,
    questions: int = 1319,
    asked: int | None = None,
    shots: int = 5,
    **changes: Any,
) -> dict[str, Any]:
    """A results file as 0.4.9 and later write it.

    Args:
        model: in `model_args` as `pretrained`, and as `model_name`.
        tasks: values of each task, by `metric,filter`.
        groups: the same of groups.
        subtasks: what is in each group.
        arguments: in the place of the model's.
        questions, asked: of each task; all are asked where not given.
        shots: examples before a question.
        changes: keys at the top in the place of others; None takes one away.
    """
    tasks = {"gsm8k": gsm8k()} if tasks is None else tasks
    grouped = groups or {}
    every = {**grouped, **tasks}
    names = {key.partition(",")[0] for values in every.values() for key in values if "_stderr" not in key}
    given = {"pretrained": model, "dtype": "bfloat16"} if arguments is None else arguments
    found: dict[str, Any] = {
        "results": {name: {"alias": name, **values} for name, values in every.items()},
        **({"groups": {name: {"alias": name, **values} for name, values in grouped.items()}} if grouped else {}),
        "group_subtasks": {**{name: [] for name in tasks}, **(subtasks or {})},
        "configs": {name: {"task": name, "num_fewshot": shots, "metadata": {"version": 3.0}} for name in tasks},
        "versions": dict.fromkeys(every, 3.0),
        "n-shot": dict.fromkeys(tasks, shots),
        "higher_is_better": {name: {metric: "perplexity" not in metric for metric in sorted(names)} for name in every},
        "n-samples": {
            name: {"original": questions, "effective": questions if asked is None else asked} for name in tasks
        },
        "config": {
            "model": "hf",
            "model_args": given,
            "model_num_parameters": 1000000000,
            "model_dtype": "torch.bfloat16",
            "model_revision": "main",
            "model_sha": "",
            "batch_size": "auto",
            "batch_sizes": [64],
            "device": "cuda:0",
            "use_cache": None,
            "limit": None if asked is None else float(asked),
            "bootstrap_iters": 100000,
            "gen_kwargs": {},
            "random_seed": 0,
            "numpy_seed": 1234,
            "torch_seed": 1234,
            "fewshot_seed": 1234,
        },
        "git_hash": "b97e2b2",
        "date": DATE,
        "pretty_env_info": "PyTorch version: 2.9.0",
        "transformers_version": "4.57.3",
        "lm_eval_version": "0.4.9.2",
        "upper_git_hash": None,
        "max_length": 4096,
        "task_hashes": dict.fromkeys(tasks, "ab" * 32),
        "model_source": "hf",
        "model_name": model or "",
        "model_name_sanitized": (model or "").replace("/", "__"),
        "system_instruction": None,
        "system_instruction_sha": None,
        "fewshot_as_multiturn": False,
        "chat_template": None,
        "chat_template_sha": None,
        "start_time": 1272225.578433881,
        "end_time": 1276832.731746671,
        "total_evaluation_time_seconds": "4607.153312789975",
    }
    config = changes.pop("config", {})
    found["config"] |= config
    return {key: value for key, value in (found | changes).items() if value is not None or key not in changes}


def gsm8k(value: float = 0.5762, stderr: float | str = 0.0136) -> dict[str, Any]:
    """Two filters of one metric."""
    return {
        "exact_match,strict-match": value,
        "exact_match_stderr,strict-match": stderr,
        "exact_match,flexible-extract": min(1.0, value + 0.09),
        "exact_match_stderr,flexible-extract": stderr,
    }


def mmlu(value: float = 0.61) -> dict[str, Any]:
    """A group in two parts of two tasks, and what is in each: arguments of `document`."""
    leaves = {f"mmlu_{name}": {"acc,none": value, "acc_stderr,none": 0.02} for name in ("law", "logic", "art", "bio")}
    parts = {"mmlu_humanities": ["mmlu_law", "mmlu_logic"], "mmlu_other": ["mmlu_art", "mmlu_bio"]}
    return {
        "tasks": leaves,
        "groups": {name: {"acc,none": value, "acc_stderr,none": 0.01} for name in ("mmlu", *parts)},
        "subtasks": {"mmlu": list(parts), **parts},
    }


def write(folder: Path, name: str = "results_2025-11-30T10-53-20.250000.json", **told: Any) -> Path:
    """A results file in a folder."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document(**told), indent=2, ensure_ascii=False), encoding="utf-8")
    return path
