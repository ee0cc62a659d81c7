# syntax=docker/dockerfile:1
FROM oven/bun:1.4.5-slim AS build
WORKDIR /src
COPY package.json bun.lock bunfig.toml ./
COPY .patches .patches
RUN bun install --frozen-lockfile --production
COPY tsconfig.json ./
COPY .ci .ci
COPY migrations migrations
COPY ops ops
COPY src src
RUN bun run build --outfile /out/app

FROM debian:13-slim
# libstdc++ and libgcc are what embedded PostgreSQL needs beside the C library.
RUN apt-get update \
  && apt-get install --yes --no-install-recommends ca-certificates libgcc-s1 libstdc++6 \
  && rm -rf /var/lib/apt/lists/*
# With a name: embedded PostgreSQL refuses a user that has none.
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /data --shell /usr/sbin/nologin posthorn \
  && install --directory --owner=10001 --group=10001 --mode=0750 /data
COPY --from=build /out/app /usr/local/bin/app
USER 10001:10001
WORKDIR /data
# Embedded PostgreSQL lives here, and nothing else is ever written: the root file system may be read-only.
VOLUME /data
ENV DATA_DIR=/data HOST=0.0.0.0 LOG_FORMAT=json
EXPOSE 8071 8072
# `ops health` asks whichever of the two ports answers. `migrate` and `ops` containers have none: switch it off there.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --start-interval=1s CMD ["app", "ops", "health"]
ENTRYPOINT ["app"]
CMD ["serve"]
