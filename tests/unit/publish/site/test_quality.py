"""Energy and quality: which models stand beside each other, where on the front, and how sure that is."""

from __future__ import annotations

import pytest

from scorekit.editions import FEBRUARY_2025, Member
from scorekit.publish.site import quality
from scorekit.publish.site.gathering import gather
from scorekit.records import Result
from tests.unit.publish.site.evaluated import four, in_force, local, official, site_of


def test_models_stand_on_the_front_that_nothing_beats() -> None:
    (group,) = quality.figures(four()).groups
    assert group.official
    assert group.measure.title == "mmlu, acc, 5 examples"
    assert [one.model.entry.model for one in group.front] == ["org/small", "org/middle", "org/large"]
    assert group.standings[0].model.value_interval == pytest.approx((0.3806, 0.4197), abs=1e-4)
    assert {one.place.certain for one in group.standings} == {True}


def test_where_less_is_better_the_front_turns_round() -> None:
    perplexity = {"metric": "word_perplexity", "higher_is_better": False, "stderr": None}
    given = [
        (official("org/a", 1.0), ({**perplexity, "value": 20.0},)),
        (official("org/b", 2.0), ({**perplexity, "value": 30.0},)),
        (official("org/c", 3.0), ({**perplexity, "value": 10.0},)),
    ]
    (group,) = quality.figures(site_of(*given)).groups
    assert [one.model.entry.model for one in group.front] == ["org/a", "org/c"]
    assert {one.place.certain for one in group.standings} == {None}


def test_only_what_was_measured_and_evaluated_alike_stands_together() -> None:
    figure = ({"value": 0.5},)
    found = quality.figures(
        site_of(
            (official("org/a", 1.0), figure),
            (local("org/b", 1.0), figure),
            (local("org/c", 1.0), figure),
            (local("org/d", 1.0, hardware="Example CPU 1"), figure),
            (local("org/e", 1.0, queries=10), figure),
            (local("org/f", 1.0), ({"value": 0.5, "num_fewshot": 0},)),
            (local("org/g", 1.0), ({"value": 0.5, "task_version": "2"},)),
            (local("org/h", 1.0), ({"value": 0.5, "filter": "strict"},)),
        )
    )
    together = [{one.model.entry.model for one in group.standings} for group in found.groups]
    assert {"org/b", "org/c"} in together
    assert len(together) == 7
    assert all(len(group) == 1 for group in together if "org/b" not in group)
    keys = [(group.measure, group.cohort, group.kind) for group in found.groups]
    assert len(set(keys)) == len({group.key for group in found.groups}) == len(keys)


def test_questions_put_as_a_chat_and_plainly_stand_apart() -> None:
    result = official("org/a", 1.0)
    each = [(True, ", as a chat"), (False, ", plainly"), (None, "")]
    sites_of_one = [site_of((result, ({"value": 0.5},)), changes={"chat_template": put}) for put, _ in each]
    groups = [group for site in sites_of_one for group in quality.figures(site).groups]
    assert [group.measure.title for group in groups] == [f"mmlu, acc, 5 examples{told}" for _, told in each]


def test_what_can_be_compared_with_nothing_is_counted() -> None:
    unknown = local("org/d", 1.0).model_copy(update={"hardware": None, "score": None})
    found = quality.figures(
        site_of(
            (official("org/a", 1.0), ({"value": 0.5, "samples": 100},)),
            (official("org/b", 1.0), ({"value": 0.5, "higher_is_better": None},)),
            (unknown, ({"value": 0.5},)),
            (local("org/e", 1.0).model_copy(update={"model": None, "score": None}), ({"value": 0.5},)),
            (official("org/c", 1.0), ()),
        )
    )
    assert (found.groups, found.limited, found.undirected, found.other_weights, found.untold) == ((), 1, 1, 0, 2)


def test_figures_of_other_weights_than_those_measured_are_compared_with_nothing() -> None:
    for same, count in ((False, 1), (None, 0), (True, 0)):
        site = site_of((official("org/a", 1.0), ({"value": 0.5},)), changes={"same_weights": same})
        found = quality.figures(site)
        assert (found.other_weights, len(found.groups)) == (count, 1 - count)


def certain(*given: Result) -> list[bool | None]:
    """Of models whose quality falls from first to last, by far: whether their places are certain."""
    told = [({"value": 0.9 - 0.2 * place},) for place in range(len(given))]
    (group,) = quality.figures(site_of(*zip(given, told, strict=True))).groups
    return [one.place.certain for one in group.standings]


def test_the_front_reckons_with_the_gain_by_which_boards_differ() -> None:
    first, near, far = official("org/a", 1.0), official("org/b", 1.06), official("org/c", 1.2)
    assert first.uncertainty is not None
    assert first.uncertainty.combined_95_percent == pytest.approx(0.76, abs=0.01)
    # Of one board the two would be apart by seven times their half-widths.
    assert certain(first, near) == [True, False]
    assert certain(first, far) == [True, True]


def test_of_a_modelled_energy_no_place_is_certain() -> None:
    on_gpu = {"hardware": "NVIDIA H100 PCIe", "domain": "gpu"}
    for changes, expected in (
        ({"origin": "modelled"}, None),
        ({"origin": "mixed"}, None),
        (on_gpu | {"origin": "modelled"}, None),
        (on_gpu | {"origin": "measured"}, True),
    ):
        results = [local(f"org/{wh}", wh, **changes) for wh in (1.0, 50.0)]
        assert certain(*results) == [expected, expected], changes


def test_runs_of_one_model_are_one_point_with_the_mean_of_their_energies() -> None:
    figure = ({"value": 0.5},)
    again = [(official("org/a", wh), figure) for wh in (1.0, 1.4)]
    (group,) = quality.figures(site_of(*again, (official("org/b", 9.0), figure))).groups
    first, second = (one.model for one in group.standings)
    assert (len(first.entries), len(first.evaluations), len(second.entries)) == (2, 1, 1)
    assert first.wh_per_1000_queries == pytest.approx(1.2)
    # From the lower end of the one to the upper end of the other.
    (low, high), half = first.energy_interval or (0, 0), second.energy_half_width_percent or 0
    assert (low, high) == (pytest.approx(1.0 - half / 100), pytest.approx(1.4 * (1 + half / 100)))
    (point, _) = quality.points(group)
    assert (point.model, point.results, point.source_sha256) == ("org/a", 2, "ab" * 32)


def test_evaluations_of_one_model_are_one_point_with_the_mean_of_their_values() -> None:
    (group,) = quality.figures(
        site_of(
            (official("org/a", 1.0), ({"value": 0.4},)),
            (official("org/a", 2.0), ({"value": 0.6, "samples": 9, "samples_of": 9},)),
        )
    ).groups
    ((model, place),) = [(one.model, one.place) for one in group.standings]
    assert (model.value, model.stderr, model.questions, len(model.sources)) == (0.5, None, None, 2)
    assert place.on_front
    low, high = model.value_interval or (0, 0)
    assert low < 0.4
    assert high > 0.8


def test_other_revisions_and_weights_of_a_name_stand_apart_and_are_told_apart() -> None:
    figure = ({"value": 0.5},)
    other = local("org/a", 2.0, model_revision="f" * 40)
    as_int8 = local("org/a", 0.5).model_copy(update={"dtype": "int8"})
    (group,) = quality.figures(site_of((local("org/a", 1.0), figure), (other, figure), (as_int8, figure))).groups
    size = "1,000,000,000 parameters"
    assert [one.variant for one in group.standings] == [
        f"revision {'0' * 12}, {size}, int8",
        f"revision {'0' * 12}, {size}, type unknown",
        f"revision {'f' * 12}, {size}, type unknown",
    ]
    assert len({point.model for point in quality.points(group)}) == 3


def test_an_evaluation_that_tells_no_type_of_weights_is_of_those_that_were_measured() -> None:
    results = [local("org/a", wh).model_copy(update={"dtype": "float16"}) for wh in (1.0, 2.0)]
    ids = [f"{number:064x}"[::-1] for number in range(2)]
    types = ("float16", None)
    figures = {
        ids[number]: in_force(results[number], number, {"value": 0.5}, dtype=types[number]) for number in range(2)
    }
    site = gather(results, None, [], result_ids=[one[:12] for one in ids], quality=figures)
    (group,) = quality.figures(site).groups
    assert [len(one.model.entries) for one in group.standings] == [2]


def test_a_member_of_an_edition_and_an_earlier_run_of_it_are_one_point() -> None:
    results = [official("org/a", 1.0), official("org/a", 3.0)]
    ids = [f"{number:064x}"[::-1] for number in range(2)]
    figures = {ids[number]: in_force(results[number], number, {"value": 0.5}) for number in range(2)}
    member = Member(
        cohort="text_generation", model_class="A", model="org/a", wh_per_1000_queries=1.0, result_id=ids[0][:12]
    )
    edition = FEBRUARY_2025.model_copy(update={"members": (member,)})
    site = gather(results, edition, [], result_ids=[one[:12] for one in ids], quality=figures)
    assert [entry.member is None for entry in site.entries] == [False, True]
    (group,) = quality.figures(site).groups
    assert [len(one.model.entries) for one in group.standings] == [2]
    # The member's own result tells how sure its energy is.
    assert group.standings[0].model.energy_interval is not None


def test_a_limit_without_counts_is_a_part_of_the_task() -> None:
    whole = {"value": 0.5, "samples": None, "samples_of": None}
    assert quality.figures(site_of((official("org/a", 1.0), (whole,)), changes={"limit": 10})).limited == 1
    assert quality.figures(site_of((official("org/a", 1.0), (whole,)))).limited == 0


def test_figures_belong_to_the_result_of_their_hash_alone() -> None:
    result = official("org/a", 1.0)
    figures = {"ab" * 32: in_force(result, 0, {"value": 0.5})}
    site = gather([result], None, [], result_ids=["abababababab"], quality=figures)
    # Its record names another result.
    assert site.entries[0].quality == ()
    assert gather([result], None, [], result_ids=[None], quality=figures).entries[0].quality == ()
