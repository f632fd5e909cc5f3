# scorekit in a container: docs/container.md tells how it is built and run.
#
# BASE may be any Debian or Ubuntu with Python 3.11 or newer among its packages. torch brings the CUDA libraries that it was
# built for, so the default is NVIDIA's smallest base with a CUDA runtime. A portal needs none of it: see compose.yaml.
ARG BASE=docker.io/nvidia/cuda:13.0.2-base-ubuntu24.04

# What every stage has: the same interpreter, because the environment is made in one and runs in another.
FROM ${BASE} AS python
# hadolint ignore=DL3008
RUN apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3 tini >/dev/null \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/*-old /var/log/*

FROM python AS build
# hadolint ignore=DL3008
RUN apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv >/dev/null \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /build
ENV PIP_CACHE_DIR=/var/cache/pip
COPY constraints.txt pyproject.toml ./
ARG EXTRAS=bench,container,data,impact,portal
# The gigabytes that scorekit needs, without scorekit: an empty package stands for it, so that a change of the source leaves
# this layer as it is.
RUN --mount=type=cache,target=/var/cache/pip \
    mkdir -p configs src/hydra_plugins src/scorekit/publish/label/fonts \
 && touch LICENSE NOTICE README.md src/scorekit/publish/label/fonts/OFL.txt \
 && echo '__version__ = "0"' > src/scorekit/__init__.py \
 && python3 -m venv /opt/scorekit \
 && /opt/scorekit/bin/pip install -q --disable-pip-version-check --use-pep517 -c constraints.txt ".[${EXTRAS}]" \
 && /opt/scorekit/bin/pip uninstall -q -y scorekit

COPY . .
RUN --mount=type=cache,target=/var/cache/pip \
    /opt/scorekit/bin/pip wheel -q --disable-pip-version-check --no-deps -w /wheels .

FROM python
COPY --from=build /opt/scorekit /opt/scorekit
# Whoever runs it, with or without an entry in /etc/passwd, may write here.
RUN --mount=type=bind,from=build,source=/wheels,target=/wheels \
    /opt/scorekit/bin/pip install -q --disable-pip-version-check --no-cache-dir --no-index --no-deps /wheels/*.whl \
 && if ffmpeg="$(/opt/scorekit/bin/python -c 'import imageio_ffmpeg as found; print(found.get_ffmpeg_exe())' 2>/dev/null)"; \
    then ln -s "$ffmpeg" /usr/local/bin/ffmpeg; fi \
 && install -d -m 1777 /cache /data /home/scorekit /results

ARG IMAGE=energy_star
ENV PATH=/opt/scorekit/bin:$PATH \
    HOME=/home/scorekit \
    USER=scorekit \
    HF_HOME=/cache \
    LANG=C.UTF-8 \
    PYTHONUNBUFFERED=1 \
    NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility \
    SCOREKIT_IMAGE=${IMAGE}
WORKDIR /results
USER 1000:1000

ARG REVISION=unknown
ARG VERSION=unknown
LABEL org.opencontainers.image.title="scorekit" \
      org.opencontainers.image.description="Measures the energy that an AI model uses for 1,000 queries of a task, and rates it." \
      org.opencontainers.image.licenses="Apache-2.0 AND OFL-1.1" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.version="${VERSION}"

# The first process reaps what others leave behind, and passes signals on.
ENTRYPOINT ["/usr/bin/tini", "-s", "--", "/opt/scorekit/bin/python", "-m", "scorekit.container"]
