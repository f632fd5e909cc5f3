"""A site with measured energies of each kind, for the pages that tell impacts."""

from __future__ import annotations

from scorekit.editions import Member
from scorekit.logs.from_score import result_of
from scorekit.publish.site.content import Site
from scorekit.publish.site.gathering import gather
from scorekit.records import Result
from tests.bundles import local_score, official_score
from tests.edition_members import draft

HOSTILE = "<img src=x onerror=alert(1)>/\N{RIGHT-TO-LEFT OVERRIDE}\N{ROBOT FACE}\x07" + "x" * 200
"""A name as a stranger may give one."""


def impact_site() -> Site:
    """Results with and without counted tokens, one that is modelled, a published figure, and a hostile name."""
    members = [
        Member(cohort="text_generation", model_class="A", model="example/published-8b", wh_per_1000_queries=4.5),
        Member(cohort="asr", model=HOSTILE, wh_per_1000_queries=0.37),
    ]
    edition = draft(members)
    return gather(results(), edition, [edition], title="Energy of models")


def results() -> list[Result]:
    """Results of our own."""
    scores = [
        official_score("example/measured-1b", gpu_kwh=0.01),
        official_score("example/mixed-1b", gpu_kwh=0.01, cpu_kwh=0.002, ram_kwh=0.001, cpu_origin="modelled"),
        local_score("tiny-llama", output_tokens=None, gpu_kwh=None, cpu_kwh=0.0008, cpu_origin="modelled"),
    ]
    return [result_of(score, f"run-{number}") for number, score in enumerate(scores)]
