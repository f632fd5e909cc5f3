# scorekit in a container: docs/container.md tells how it is built and run.
#
# BASE may be any Debian or Ubuntu with Python 3.11 or newer among its packages. torch brings the CUDA libraries that it was
# built for, so the default is NVIDIA's smallest base with a CUDA runtime. A portal needs none of it: see compose.yaml.
ARG BASE=docker.io/nvidia/cuda:13.0.2-base-ubuntu24.04

# What every stage has: the same interpreter, because an environment is begun in one and runs in another.
FROM ${BASE} AS python
# hadolint ignore=DL3008
RUN apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3 tini >/dev/null \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/*-old /var/log/*

# An environment with nothing but pip, and two wheels of scorekit: an empty one that asks for what scorekit needs, and itself.
FROM python AS build
# hadolint ignore=DL3008
RUN apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv >/dev/null \
 && rm -rf /var/lib/apt/lists/* \
 && python3 -m venv /opt/scorekit
WORKDIR /build
COPY constraints.txt pyproject.toml ./
RUN mkdir -p configs src/hydra_plugins src/scorekit/publish/label/fonts \
 && touch LICENSE NOTICE README.md src/scorekit/publish/label/fonts/OFL.txt \
 && echo '__version__ = "0"' > src/scorekit/__init__.py \
 && /opt/scorekit/bin/pip wheel -q --disable-pip-version-check --no-cache-dir --no-deps -w /needs . \
 && mv constraints.txt /needs/
COPY . .
RUN /opt/scorekit/bin/pip wheel -q --disable-pip-version-check --no-cache-dir --no-deps -w /wheels .

FROM python
COPY --from=build /opt/scorekit /opt/scorekit
ARG EXTRAS=bench,container,data,impact,portal
# The gigabytes: a change of scorekit's source leaves this layer as it is, and they are not copied from one stage to another.
RUN --mount=type=cache,target=/var/cache/pip --mount=type=bind,from=build,source=/needs,target=/needs \
    /opt/scorekit/bin/pip install -q --disable-pip-version-check --cache-dir /var/cache/pip --use-pep517 \
    -c /needs/constraints.txt "scorekit[${EXTRAS}] @ file:///needs/scorekit-0-py3-none-any.whl" \
 && /opt/scorekit/bin/pip uninstall -q -y scorekit
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
