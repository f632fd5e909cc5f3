"""Runs that lack repeats, queries or outputs, or whose model and dataset are not those that they name."""

from __future__ import annotations

from tests.evidence import change_facts, change_windows, of_phase
from tests.unit.validity.spoilt.changes import FOURTH, GENERATE, Case

CASES: list[Case] = [
    ("samples_complete", change_windows(FOURTH, samples=999), "fail", "repeat 4, .*999 queries .* expected 1000"),
    ("samples_complete", change_windows(FOURTH, failures=3), "fail", "repeat 4, phase generate: 3 queries failed"),
    ("samples_complete", change_windows(FOURTH, batches=1001), "fail", "1001 calls .* expected 1000 .empty batches"),
    ("samples_complete", change_windows(FOURTH, batches=900), "fail", "900 calls .* left out"),
    ("samples_complete", change_windows(FOURTH, passes=2), "fail", "1000 queries were counted, expected 2000"),
    ("samples_complete", change_windows(FOURTH, phase="load_model"), "fail", "10 repeats were asked for, .* hold 9"),
    (
        "samples_complete",
        change_windows(of_phase("preprocess", 4), phase="load_dataset"),
        "fail",
        "repeat 4: there is no window of phase preprocess",
    ),
    ("model_as_declared", change_facts(model={"dtype": "float32"}), "fail", "dtype is float32, expected float16 as"),
    ("model_as_declared", change_facts(run={"torch_dtype": None}), "warn", "dtype that was asked for was not rec"),
    ("model_as_declared", change_facts(run={"torch_dtype": "auto"}, model={"dtype": "bfloat16"}), "none", ""),
    ("model_as_declared", change_facts(model={"quantization": "awq"}), "fail", "quantised with awq, expected not"),
    ("model_as_declared", change_facts(model={"declared_quantization": "mxfp4"}), "fail", "not quantised, expected"),
    ("model_as_declared", change_facts(model={"dtype": None}), "warn", "dtype of the loaded model was not recorded"),
    (
        "model_as_declared",
        change_facts(run={"backend_switches": {"attn_implementation": "sdpa"}}, model={"attention": "eager"}),
        "fail",
        "attention is eager, expected sdpa",
    ),
    (
        "model_as_declared",
        change_facts(run={"backend_switches": {"quantization_scheme": "bnb"}}),
        "fail",
        "expected it to be by bnb",
    ),
    ("dataset_identified", change_facts(dataset={"revision": None}), "warn", "revision of the dataset"),
    ("dataset_identified", change_facts(dataset={"fingerprint": ""}), "fail", "expected a sha256"),
    ("dataset_identified", change_facts(dataset={"rows": 10}), "fail", "from 10 rows"),
    ("outputs_counted", change_windows(FOURTH, truncated_inputs=None), "warn", "inputs were cut was not .* repeat 4"),
    ("outputs_counted", change_windows(FOURTH, output_tokens=None), "warn", "repeat 4, .*were not counted"),
    (
        "outputs_counted",
        change_windows(FOURTH, output_tokens=9_000, early_ends=200),
        "fail",
        "repeat 4, .*9000 tokens were generated .200 answers ended early., expected 10 for each of 1000",
    ),
    ("outputs_counted", change_windows(GENERATE, truncated_inputs=50), "warn", "5.0% of the inputs were cut"),
]
