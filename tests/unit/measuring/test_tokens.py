"""Counting generated tokens in what a model returned, whatever stands before them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from scorekit.measuring import tokens
from scorekit.measuring.tokens import PromptRule, end_tokens, find_rule, ids_of, input_width, new_lengths

pytestmark = pytest.mark.transformers

PROMPT, END, PAD = 9, 2, 0


def ids(*rows: list[int]) -> Any:
    return torch.tensor(rows)


class Generator:
    """A model's generate(): `leading` ids first, the input's among them or not, then a step for each new one."""

    def __init__(self, start: int, *, repeats_input: bool) -> None:
        self.start = start
        self.repeats_input = repeats_input

    def __call__(self, inputs: dict[str, Any], options: dict[str, Any]) -> Any:
        rows = inputs["input_ids"].shape[0] if "input_ids" in inputs else 1
        sequence = torch.full((rows, self.start), PROMPT)
        if self.repeats_input:
            sequence = torch.cat([inputs["input_ids"], sequence], dim=1)
        for _ in range(options["max_new_tokens"]):
            sequence = torch.cat([sequence, torch.ones(rows, 1, dtype=torch.long)], dim=1)
            stop = options["stopping_criteria"](sequence, None)
            assert not bool(torch.as_tensor(stop).any())
        return SimpleNamespace(sequences=sequence)


@pytest.mark.parametrize("width", [1, 3, 40])
@pytest.mark.parametrize(
    ("generator", "rule"),
    [
        (Generator(0, repeats_input=True), PromptRule(True, 0)),
        (Generator(2, repeats_input=True), PromptRule(True, 2)),
    ],
    ids=["decoder", "decoder-with-extra"],
)
def test_a_decoder_repeats_its_input(generator: Generator, rule: PromptRule, width: int) -> None:
    inputs = {"input_ids": torch.full((2, width), PROMPT)}
    assert find_rule(generator, inputs, {"max_new_tokens": 2}) == rule


@pytest.mark.parametrize("width", [2, 5, 40])
def test_an_encoder_decoder_puts_its_start_token_first_whatever_its_input(width: int) -> None:
    inputs = {"input_ids": torch.full((1, width), PROMPT)}
    rule = find_rule(Generator(1, repeats_input=False), inputs, {"max_new_tokens": 2})
    assert rule == PromptRule(False, 1)
    assert rule.length(width) == rule.length(width + 100) == 1


@pytest.mark.parametrize("start", [1, 4])
def test_speech_and_images_have_no_input_ids(start: int) -> None:
    rule = find_rule(Generator(start, repeats_input=False), {"pixel_values": torch.ones(1)}, {"max_new_tokens": 2})
    assert rule == PromptRule(False, start)
    assert rule.length(0) == start


def test_a_decoders_prompt_is_as_wide_as_its_batch() -> None:
    assert PromptRule(True, 1).length(7) == 8


def test_ids_are_found_in_either_kind_of_output() -> None:
    plain = ids([1, 2])
    assert ids_of(plain) is plain
    assert ids_of(SimpleNamespace(sequences=plain)) is plain


def test_input_width() -> None:
    assert input_width({"input_ids": torch.ones(2, 7)}) == 7
    assert input_width({"pixel_values": torch.ones(1, 3)}) == 0


@pytest.mark.parametrize(("value", "expected"), [(None, set()), (2, {2}), ([2, 5], {2, 5}), ((2,), {2})], ids=str)
def test_end_tokens(value: Any, expected: set[int]) -> None:
    model = SimpleNamespace(generation_config=SimpleNamespace(eos_token_id=value))
    assert end_tokens(model) == expected


def test_a_model_without_a_generation_config_has_no_end_token() -> None:
    assert end_tokens(SimpleNamespace()) == frozenset()


def test_one_row_counts_all_that_follows_the_prompt_and_the_end_too() -> None:
    assert sum(new_lengths([ids([PROMPT, PROMPT, 5, 6, END])], [2], frozenset({END}))) == 3


def test_an_answer_that_ended_early_in_a_batch_is_counted_to_its_end() -> None:
    batch = ids([PROMPT, 5, END, PAD, PAD], [PROMPT, 5, 6, 7, 8])
    assert sum(new_lengths([batch], [1], frozenset({END}))) == 2 + 4


def test_the_length_of_each_answer_is_told_in_the_order_of_samples() -> None:
    batches = [ids([PROMPT, 5, END, PAD], [PROMPT, 5, 6, 7]), ids([PROMPT, PROMPT, 5, END])]
    assert new_lengths(batches, [1, 2], frozenset({END})) == [2, 3, 2]
    assert new_lengths(batches, [1, 2], frozenset()) == [3, 3, 2]
    assert new_lengths([], [], frozenset({END})) == []


def test_an_answer_of_nothing_has_length_zero_and_not_less() -> None:
    assert new_lengths([ids([PROMPT])], [3], frozenset({END})) == [0]
    assert new_lengths([ids([PROMPT], [PROMPT])], [1], frozenset({END})) == [0, 0]


def test_padding_that_is_the_end_token_is_not_counted() -> None:
    batch = ids([PROMPT, 5, END, END, END], [PROMPT, 5, 6, 7, END])
    assert sum(new_lengths([batch], [1], frozenset({END}))) == 2 + 4


def test_an_end_token_in_the_prompt_ends_nothing() -> None:
    batch = ids([END, PROMPT, 5, 6], [END, PROMPT, 5, 6])
    assert sum(new_lengths([batch], [2], frozenset({END}))) == 4


def test_without_end_tokens_every_row_is_counted_in_full() -> None:
    assert sum(new_lengths([ids([PROMPT, 5, 6], [PROMPT, 5, 6])], [1], frozenset())) == 4


def test_batches_add_up_and_each_has_its_own_prompt() -> None:
    sequences = [ids([PROMPT, 5]), ids([PROMPT, PROMPT, PROMPT, 5, 6])]
    assert sum(new_lengths(sequences, [1, 3], frozenset({END}))) == 1 + 2


def test_a_row_shorter_than_its_prompt_counts_nothing() -> None:
    assert sum(new_lengths([ids([PROMPT])], [3], frozenset({END}))) == 0


def test_batches_and_prompts_must_match() -> None:
    with pytest.raises(ValueError, match="shorter"):
        new_lengths([ids([1])], [], frozenset())


def test_the_rule_of_a_real_model_counts_exactly_what_was_asked_for(tmp_path: Any) -> None:
    import transformers

    torch.manual_seed(0)
    common = {"vocab_size": 20, "pad_token_id": PAD, "bos_token_id": 1, "eos_token_id": END}
    decoder = transformers.LlamaForCausalLM(
        transformers.LlamaConfig(
            hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=2, **common
        )
    )
    encoder_decoder = transformers.T5ForConditionalGeneration(
        transformers.T5Config(
            d_model=8, d_kv=4, d_ff=8, num_layers=1, num_heads=2, decoder_start_token_id=PAD, **common
        )
    )
    for model in (decoder, encoder_decoder):

        def generate(inputs: dict[str, Any], options: dict[str, Any], model: Any = model) -> Any:
            return model.generate(**inputs, **options)

        options = {"max_new_tokens": 2, "min_new_tokens": 2, "do_sample": False}
        rule = find_rule(generate, {"input_ids": ids([5, 6, 7]), "attention_mask": ids([1, 1, 1])}, options)
        for width in (1, 4):
            inputs = {"input_ids": torch.full((1, width), 5), "attention_mask": torch.ones(1, width, dtype=torch.long)}
            sequence = tokens.ids_of(generate(inputs, {**options, "max_new_tokens": 6, "min_new_tokens": 6}))
            assert sum(new_lengths([sequence], [rule.length(width)], end_tokens(model))) == 6
