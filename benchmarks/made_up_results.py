"""Results made up for benchmarks of the site: as many as asked for, each of a model of its own, alike every time."""

from __future__ import annotations

import math
import random

from scorekit import tasks
from scorekit.logs.foreign.results import Energies, Facts, foreign_result
from scorekit.records import Provenance, Reason, Result, Score, Source, Uncertainty
from scorekit.units import wh_to_kwh

_SYLLABLES = (
    *("an", "ar", "bel", "cor", "dal", "en", "fer", "gal", "hir", "il", "jun", "kal", "lem", "mir"),
    *("nor", "ol", "per", "quin", "ros", "sal", "tor", "ul", "ver", "wen", "xi", "yor", "zel"),
)
_FAMILIES = (
    *("Llama", "Mistral", "Qwen", "Gemma", "Phi", "Falcon", "OLMo", "Granite", "BERT", "RoBERTa"),
    *("T5", "ViT", "Swin", "DETR", "Whisper", "Wav2Vec2", "SD"),
)
_SUFFIXES = ("", "-Instruct", "-base", "-large", "-it", "-chat", "-v0.3", "-uncased", "-finetuned", "-hf", "-GPTQ")
_GPUS = ("NVIDIA H100 80GB HBM3", "NVIDIA A100-SXM4-80GB", "NVIDIA L4", "NVIDIA GeForce RTX 4090")


def results(count: int, seed: int = 5) -> list[Result]:
    """So many results of all tasks; some stand beside official ones, most were measured elsewhere."""
    chance = random.Random(seed)
    providers = ["".join(chance.choices(_SYLLABLES, k=chance.randint(2, 4))) for _ in range(max(count // 25, 3))]
    every = list(tasks.TASKS.values())
    made: list[Result] = []
    seen: set[str] = set()
    while len(made) < count:
        billions = round(math.exp(chance.uniform(math.log(0.05), math.log(120))), 1)
        name = (
            f"{chance.choice(providers)}/{chance.choice(_FAMILIES)}-{''.join(chance.choices(_SYLLABLES, k=2))}"
            f"-{billions:g}B{chance.choice(_SUFFIXES)}"
        )
        if name not in seen:
            seen.add(name)
            made.append(_result(name, billions, every[len(made) % len(every)], chance))
    return made


def _result(name: str, billions: float, task: tasks.Task, chance: random.Random) -> Result:
    number = chance.getrandbits(32)
    energy_wh = billions * math.exp(chance.gauss(0.5, 1.2))
    comparable = chance.random() < 0.3
    half = round(chance.uniform(0.3, 9), 3)
    facts = Facts(
        model=name,
        task=task.name,
        parameters=round(billions * 1e9),
        hardware=_GPUS[0] if comparable else chance.choice(_GPUS),
        gpu_count=1,
        domain="gpu",
        origin="measured" if chance.random() < 0.95 else "modelled",
        queries=1000,
        queries_from="counted",
    )
    source = Source(
        name=f"{name}/{task.name}/2025-0{1 + number % 9}-{10 + number % 18}_{number % 24:02}-{number % 60:02}-07",
        format="scorekit.bundle/1",
        files={},
        measured_utc="2025-02-01T00:00:00Z",
        scorekit_version="0.1.0",
    )
    result = foreign_result(source, facts, Energies(published_kwh=wh_to_kwh(energy_wh), runs=10))
    reasons = () if comparable else (Reason(code="hardware", message="not measured on one NVIDIA H100 80GB"),)
    told = {"comparable": comparable, "not_comparable_because": reasons, "uncertainty": _uncertainty(half)}
    made = result.model_copy(update={**told, "meter": "nvml"})
    return made.model_copy(update={"score": _score(made)}) if comparable else made


def _score(result: Result) -> Score:
    """The score that a comparable result would have been made from."""
    shared = set(Score.model_fields) & set(Result.model_fields) - {"schema_version", "score", "phases"}
    rest = {"gpu_kwh": result.energy_kwh, "cpu_kwh": None, "ram_kwh": None, "wh_per_1000_queries_std": None}
    provenance = Provenance(
        run=result.source.name,
        created_utc="2025-02-01T00:00:00Z",
        scorekit_version=result.source.scorekit_version,
        log_format=result.source.format,
        protocol="made up",
        files={},
    )
    return Score.model_validate(
        {name: getattr(result, name) for name in shared}
        | rest
        | {"runs": result.published.runs, "phases": (), "repeats": (), "provenance": provenance}
    )


def _uncertainty(half_percent: float) -> Uncertainty:
    return Uncertainty(
        terms=(),
        interval_95_wh_per_1000=None,
        half_width_95_percent=half_percent,
        combined_95_percent=half_percent,
        with_board_gain_95_percent=None,
        cov_percent=None,
        trend_percent_per_repeat=None,
        trend_significant=None,
        outliers=(),
    )
