"""What measuring takes from a model on the GPU: the same work with meters around it and without, in turn.

python -m scripts.validation.overhead FOLDER FILE [--device cuda] [--gpu 0] [--seconds 6] [--pairs 3]

FOLDER is a causal model of scripts.validation.build. Each turn waits for the GPU before its clock is read.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from benchmarks import comparison, overhead

NEW_TOKENS = 10
PROMPT_TOKENS = 140


def work_on(folder: Path, device: str, seconds: float) -> overhead.Work:
    """Generation of ten tokens, as often as takes about so long."""
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32 if device == "cpu" else torch.float16)
    model = model.to(device).eval()
    tokens = torch.randint(5, 200, (1, PROMPT_TOKENS), generator=torch.Generator().manual_seed(1)).to(device)
    attention = torch.ones_like(tokens)

    def answer() -> None:
        model.generate(
            input_ids=tokens, attention_mask=attention, max_new_tokens=NEW_TOKENS, min_new_tokens=NEW_TOKENS,
            do_sample=False, pad_token_id=0,
        )  # fmt: skip

    def times(count: int) -> None:
        with torch.inference_mode():
            for _ in range(count):
                answer()
        if device == "cuda":
            torch.cuda.synchronize()

    times(3)
    count = max(1, round(10 * seconds / min(overhead.plain(lambda: times(10)).wall_s for _ in range(3))))
    return lambda: times(count)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m scripts.validation.overhead", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("file", type=Path)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--gpu", default="0")
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--pairs", type=int, default=3)
    options = parser.parse_args(argv)

    from scorekit.measuring import gpus, meters

    found: list[comparison.Comparison] = []
    with tempfile.TemporaryDirectory() as name:
        uuids = gpus.resolve([options.gpu], options.device, None, {})
        request = meters.MeterRequest(gpu_ids=uuids, country_iso_code="USA", folder=Path(name))
        work = work_on(options.folder, options.device, options.seconds)
        for names in overhead.METERS:
            turns = overhead.pairs(work, lambda names=names: meters.start(names, request), options.pairs)
            found += overhead.rows(names, *turns)
    rows = [row.as_json() for row in found]
    options.file.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
