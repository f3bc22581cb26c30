# One image for worker, API, migrations and the simulator: `docker build -t chamberlog:0.1.0 .`
# tests/e2e/test_dockerfile_steps.py runs the steps of the build stage as they stand here.

FROM ghcr.io/astral-sh/uv:0.13.9 AS uv

FROM python:3.11.15-slim-bookworm AS build
COPY --from=uv /uv /usr/local/bin/uv
ENV UV_PROJECT_ENVIRONMENT=/opt/chamberlog \
    UV_PYTHON_DOWNLOADS=never \
    UV_LINK_MODE=copy \
    UV_COMPILE_BYTECODE=1
WORKDIR /src
# The dependencies first: this layer is made again only when the lock file changes.
COPY pyproject.toml uv.lock README.md ./
RUN uv sync --locked --no-default-groups --no-install-project
COPY activities ./activities
COPY adapters ./adapters
COPY api ./api
COPY bench ./bench
COPY chaos ./chaos
COPY cli ./cli
COPY collector ./collector
COPY edge ./edge
COPY gateway ./gateway
COPY profiles ./profiles
COPY simulator ./simulator
COPY stack ./stack
COPY workers ./workers
COPY workflows ./workflows
RUN uv sync --locked --no-default-groups --no-editable

FROM python:3.11.15-slim-bookworm
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="chamberlog" \
      org.opencontainers.image.description="Readings from sensor chambers, every scheduled slot accounted for" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="docker.io/library/python:3.11.15-slim-bookworm"
RUN groupadd --system --gid 10001 chamberlog \
    && useradd --system --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin chamberlog \
    && install -d -o 10001 -g 10001 /edge
COPY --from=build /opt/chamberlog /opt/chamberlog
# Nothing is written but to /tmp, and to /edge where a volume for rendered configurations is mounted: the bytecode is
# compiled above, and there is no home.
ENV PATH=/opt/chamberlog/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
WORKDIR /
USER 10001:10001
STOPSIGNAL SIGTERM
ENTRYPOINT ["chamberlog"]
CMD ["--help"]
