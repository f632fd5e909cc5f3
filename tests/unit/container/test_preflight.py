"""What an engine's command line forgot is told in one line with its mend; no container is needed to see it."""

from __future__ import annotations

import errno
from dataclasses import replace
from pathlib import Path

import pytest

from scorekit.container import preflight
from scorekit.container.asked import understand
from scorekit.container.facts import Facts, Gpus, Place
from scorekit.errors import EXIT_FAILED, EXIT_USAGE

BENCH = understand(["--config-name", "text_generation", "backend.model=org/model"])
ON_CPU = understand(["--config-name", "text_generation", "backend.model=org/model", "backend.device=cpu"])
RESULTS = Place(Path("/results"), mounted=True, refused=None, owner_id=1000)
GOOD = Facts(
    user_id=1000,
    group_id=1000,
    results=RESULTS,
    cache=Place(Path("/cache"), mounted=True, refused=None, owner_id=1000),
    shm_bytes=2**30,
    gpus=Gpus(count=1, driver="580.65.06", cuda=(13, 0)),
    torch_cuda=(13, 0),
    token=None,
)
NO_LIBRARY = Gpus(count=0, problem="NVML cannot be used: NVML Shared Library Not Found", code=12)


def refused(facts: Facts, asked: object = BENCH) -> tuple[str, str, int]:
    """Message, mend and exit code of the one refusal."""
    assert isinstance(asked, type(BENCH))
    (error,) = preflight.refusals(asked, facts)
    assert error.mend is not None
    assert "\n" not in error.message + error.mend
    return error.message, error.mend, error.exit_code


def test_what_was_given_all_is_not_spoken_of() -> None:
    assert list(preflight.refusals(BENCH, GOOD)) == []
    assert list(preflight.notes(BENCH, GOOD)) == []


def test_a_missing_mount_would_lose_the_results() -> None:
    message, mend, code = refused(replace(GOOD, results=replace(RESULTS, mounted=False)))
    assert message == "/results is not mounted: what is measured would be lost with the container"
    assert '-v "$PWD/results:/results"' in mend
    assert code == EXIT_USAGE


def test_what_cannot_be_told_of_mounts_refuses_nothing() -> None:
    assert list(preflight.refusals(BENCH, replace(GOOD, results=replace(RESULTS, mounted=None)))) == []


def test_a_folder_that_docker_made_as_root_is_told_with_both_ways_out() -> None:
    message, mend, code = refused(replace(GOOD, results=replace(RESULTS, refused=errno.EACCES, owner_id=0)))
    assert message == "user 1000 may not write to /results, which belongs to user 0"
    assert "mkdir -p results" in mend
    assert 'sudo chown "$(id -u)" results' in mend
    assert '--user "$(id -u):$(id -g)"' in mend
    assert code == EXIT_FAILED


@pytest.mark.parametrize(
    ("number", "owner_id", "told", "mend"),
    [
        (errno.EACCES, 1234, "which belongs to user 1234", '--user "$(id -u):$(id -g)"'),
        (errno.EPERM, None, "which belongs to somebody else", "--user"),
        (errno.EROFS, 1000, "/results is mounted read-only", ":ro"),
        (errno.ENOSPC, 1000, "the disk of /results is full", "make room"),
        (errno.EDQUOT, 1000, "the disk of /results is full", "another disk"),
    ],
)
def test_whatever_keeps_results_from_being_written_is_told(
    number: int, owner_id: int | None, told: str, mend: str
) -> None:
    message, found, code = refused(replace(GOOD, results=replace(RESULTS, refused=number, owner_id=owner_id)))
    assert told in message
    assert mend in found
    assert code == EXIT_FAILED


@pytest.mark.parametrize("gpus", [NO_LIBRARY, Gpus(count=0, driver="580.65.06", cuda=(13, 0))])
def test_gpus_that_were_forgotten_are_told_with_the_smoke_test(gpus: Gpus) -> None:
    message, mend, code = refused(replace(GOOD, gpus=gpus))
    assert message.startswith("no NVIDIA GPU reaches this container")
    assert "docker run --gpus all" in mend
    assert preflight.SMOKE_TEST in mend
    assert code == EXIT_FAILED
    assert list(preflight.refusals(ON_CPU, replace(GOOD, gpus=gpus))) == []


def test_a_driver_older_than_the_images_cuda_names_the_one_that_is_needed() -> None:
    old = replace(GOOD, gpus=Gpus(count=1, driver="535.183.01", cuda=(12, 2)))
    message, mend, code = refused(old)
    assert message == ("the host's driver 535.183.01 takes CUDA up to 12.2, and this image's torch was built for 13.0")
    assert "580 or newer" in mend
    assert code == EXIT_FAILED
    assert list(preflight.refusals(ON_CPU, old)) == []


@pytest.mark.parametrize(
    ("driver", "torch"), [((12, 2), (12, 8)), ((13, 1), (13, 0)), ((13, 0), (12, 6)), (None, (13, 0)), ((11, 4), None)]
)
def test_a_driver_of_the_same_or_a_newer_major_version_is_taken(
    driver: tuple[int, int] | None, torch: tuple[int, int] | None
) -> None:
    facts = replace(GOOD, gpus=Gpus(count=1, cuda=driver), torch_cuda=torch)
    assert list(preflight.refusals(BENCH, facts)) == []


def test_a_cuda_that_nobody_knows_yet_is_told_without_a_branch_of_the_driver() -> None:
    _, mend, _ = refused(replace(GOOD, torch_cuda=(14, 0)))
    assert "update the driver of the host to a newer one" in mend


@pytest.mark.parametrize("token", ['"hf_abc"', "'hf_abc'", "hf_ abc", "hf_\x00abc", "hf_äbc"])
def test_a_token_with_signs_that_no_token_has_is_refused_and_never_shown(token: str) -> None:
    facts = replace(GOOD, token=token)
    message, mend, code = refused(facts)
    assert "HF_TOKEN holds a quotation mark" in message
    assert "--env-file" in mend
    assert code == EXIT_USAGE
    assert token not in message + mend + repr(facts)


@pytest.mark.parametrize("token", ["", " ", "hf_abcDEF123", "hf_abc\n", "api_org_abc-d.e"])
def test_other_tokens_are_for_the_hub_to_judge(token: str) -> None:
    assert list(preflight.refusals(BENCH, replace(GOOD, token=token))) == []


def test_a_secret_that_may_not_be_read_is_told_where_no_other_token_is_given() -> None:
    message, mend, _ = refused(replace(GOOD, secret_refused=errno.EACCES))
    assert "may not be read by user 1000" in message
    assert "readable to that user" in mend
    assert list(preflight.refusals(BENCH, replace(GOOD, secret_refused=errno.EACCES, token="hf_abc"))) == []


def test_little_shared_memory_is_noted_where_a_gpu_is_used() -> None:
    little = replace(GOOD, shm_bytes=64 * 2**20)
    (note,) = preflight.notes(BENCH, little)
    assert note == ("shared memory holds 64 MiB, fewer than 1024; a large model may fail for it. Mend: --shm-size 1g")
    assert list(preflight.notes(ON_CPU, little)) == []
    assert list(preflight.notes(BENCH, replace(GOOD, shm_bytes=None))) == []


def test_a_cache_that_will_not_last_is_noted_where_the_hub_is_asked() -> None:
    lost = replace(GOOD, cache=replace(GOOD.cache, mounted=False))
    (note,) = preflight.notes(BENCH, lost)
    assert '-v "$HOME/.cache/huggingface:/cache"' in note
    assert list(preflight.notes(BENCH, replace(lost, offline=True))) == []
    assert list(preflight.notes(understand(["demo"]), lost)) == []
    folder = understand(["--config-name", "text_generation", "backend.model=/models/mine"])
    assert list(preflight.notes(folder, lost)) == []


def test_a_cache_of_somebody_else_is_noted() -> None:
    (note,) = preflight.notes(BENCH, replace(GOOD, cache=replace(GOOD.cache, refused=errno.EACCES)))
    assert note.startswith("user 1000 may not write to the Hub's cache /cache")
    assert "HF_HUB_OFFLINE=1" in note


def test_what_only_shows_is_never_refused() -> None:
    nothing = replace(
        GOOD, results=replace(RESULTS, mounted=False, refused=errno.EACCES), gpus=NO_LIBRARY, token='"', shm_bytes=0
    )
    for words in (["doctor"], ["tasks"], ["bench", "--help"], ["--config-name", "reasoning", "--cfg", "job"]):
        asked = understand(words)
        assert list(preflight.refusals(asked, nothing)) == []
        assert list(preflight.notes(asked, nothing)) == []
