"""Why a score is alone in its local cohort is told with the condition that differs."""

from __future__ import annotations

from collections.abc import Iterator

from scorekit.cohorts import Given
from scorekit.rating import rate_scores
from scorekit.records import Score
from tests.bundles import local_score


def _alone(score: Score, *others: Score) -> str:
    refused = rate_scores([score, *others], None)[0].refused
    assert refused is not None
    head, _, why = refused.partition(": ")
    assert head == "it is the only model given of its task and conditions, and a cohort needs two"
    return why.partition("; rate it with")[0]


def test_a_score_that_is_alone_is_told_which_condition_differs() -> None:
    own = local_score("probe", 2.0)
    assert own.conditions is not None
    near = local_score("near", queries=20)
    far = local_score("far", queries=20, hardware="Example CPU 1")
    assert _alone(own, far, near) == (
        f"the nearest of its task, near, has another number of queries (20, here {own.queries})"
    )
    assert _alone(own, far).startswith("the nearest of its task, far, has another hardware (Example CPU 1, here Exam")
    assert ", and another number of queries (20," in _alone(own, far)
    samples = own.conditions.model_copy(update={"dataset_fingerprint": "f" * 64})
    assert _alone(own, local_score("near", conditions=samples)).endswith("near, has other samples of the dataset")
    longer = own.conditions.model_copy(update={"new_tokens": None, "max_new_tokens": 500})
    assert _alone(own, local_score("near", conditions=longer)).endswith(
        f"another limit on what is generated (500, here {own.conditions.new_tokens})"
    )
    measured = local_score("near", origin="measured")
    assert _alone(own, measured).endswith("another origin of the energy (measured, here modelled)")


def test_a_score_without_another_of_its_task_is_told_so() -> None:
    own = local_score("probe", 2.0)
    assert _alone(own) == "nothing else of its task is given"
    assert (
        _alone(own, local_score("other", task="reasoning", cohort="reasoning")) == "nothing else of its task is given"
    )
    assert _alone(own, local_score("probe", queries=20)) == "the others of its task are of the same model"
    # Nor does a second run that is just like it stand beside it, whichever is asked.
    again = local_score("probe", 3.0)
    assert _alone(own, again) == _alone(again, own) == "the others of its task are of the same model"
    # What cannot be in any cohort is not near to it either.
    assert _alone(own, local_score("other", hardware="unknown")) == "nothing else of its task is given"


def test_why_each_of_many_is_alone_is_found_without_going_through_all_for_each() -> None:
    scores = [local_score(f"model-{number}", 1.0, queries=number + 1) for number in range(1500)]
    looked = 0

    class Counted(list[Score]):
        def __iter__(self) -> Iterator[Score]:
            nonlocal looked
            looked += 1
            return super().__iter__()

    asked = Given(Counted(scores))
    assert all("number of queries" in asked.alone_because(score) for score in scores[:50])
    assert looked == 1
