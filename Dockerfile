# Foyer in a container: the program and what it needs to run, nothing to build or install with, and nothing in it that
# the process may change. Build: docker build -t foyer . ; run: deploy/README.md.
#
# Why Debian and not Alpine: Node's own builds are made for glibc; those for musl are not among what the Node project
# tests for a release. (The database's binary is there for both.)
# Why this version: it is the one that the tests run on.
ARG NODE_VERSION=24.21.0

FROM node:${NODE_VERSION}-trixie-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY packages/foyer/package.json packages/foyer/
# No package that production needs has an install script worth running: better-sqlite3 ships its binaries. Its sources
# and the binaries of other machines are two fifths of all that is installed; that the one which stays is the right one
# is tried here and not at the first start.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund --workspace=slack-foyer --include-workspace-root \
  && cd node_modules/better-sqlite3 \
  && rm -r deps src \
  && find prebuilds -type f ! -name "linux-$(node -p process.arch).node" -delete \
  && node -e "new (require('better-sqlite3'))(':memory:').close()"
COPY manifest.json .env.example LICENSE ./
COPY packages/foyer ./packages/foyer
COPY src ./src
# Readable for every user, writable for none but root, whatever the modes were where this is built.
RUN chmod -R u=rwX,go=rX .

FROM node:${NODE_VERSION}-trixie-slim
# What runs needs no package manager. /data is the only place that is written to: mount a volume there. It is not
# declared as one, since with Postgres nothing is kept in it, and unnamed volumes pile up.
RUN rm -rf /usr/local/lib/node_modules /usr/local/include /opt/yarn-* \
  && rm -f /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack /usr/local/bin/yarn /usr/local/bin/yarnpkg \
  && install -d -o node -g node -m 0700 /data
WORKDIR /app
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/package.json /app/manifest.json /app/.env.example /app/LICENSE ./
COPY --from=build /app/packages ./packages
COPY --from=build /app/src ./src

ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Foyer" \
  org.opencontainers.image.description="The install flow of a Slack app" \
  org.opencontainers.image.licenses="MIT" \
  org.opencontainers.image.version="${VERSION}" \
  org.opencontainers.image.revision="${REVISION}"

# Why no NODE_COMPILE_CACHE: it would save a quarter of a second at the start, but a cache baked in here is only good
# for processors with the same features, and one that is filled while running would be code that the process can change.
# slack-foyer is a folder of this image and runs from source: `--conditions=source`.
ENV NODE_ENV=production \
  HOST=0.0.0.0 \
  NODE_OPTIONS=--conditions=source \
  DATABASE_URL=file:/data/foyer.db
# The image's user `node`, as a number so that Kubernetes can see that it is not root.
USER 1000:1000
EXPOSE 3000
STOPSIGNAL SIGTERM
# Whether the process lives, and not /readyz: an orchestrator restarts what is unhealthy, and restarting Foyer mends no
# database. Whether it should be sent requests is the proxy's question, and /readyz answers it. Foyer listens only once
# the database was reached and is up to date, so "healthy" after a start means that, too.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["node", "-e", "require('node:http').get({ host: '127.0.0.1', port: process.env.PORT || 3000, path: '/healthz', timeout: 4000 }, (res) => process.exit(res.statusCode === 200 ? 0 : 1)).on('timeout', () => process.exit(1)).on('error', () => process.exit(1))"]
# No shell and no npm in between: SIGTERM reaches Foyer. As a container's first process it would not be ended by a
# signal that comes before it listens for it, so run it with --init (compose.yaml: init: true).
ENTRYPOINT ["node"]
# Why these sizes: deploy/README.md, "Memory".
CMD ["--disable-sigusr1", "--max-semi-space-size=32", "--max-old-space-size=320", "src/main.ts"]
