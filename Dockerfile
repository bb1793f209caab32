# The digest decides what is pulled, the tag is for people. CONTRIBUTING.md says how to renew both.
FROM node:24.18.0-bookworm-slim@sha256:cb4e8f7c443347358b7875e717c29e27bf9befc8f5a26cf18af3c3dec80e58c5 AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# All native code comes prebuilt in packages, so no install script and no compiler is needed.
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.image.json ./
COPY schemas schemas
COPY src src
RUN npx tsc -p tsconfig.image.json

FROM node:24.18.0-bookworm-slim@sha256:cb4e8f7c443347358b7875e717c29e27bf9befc8f5a26cf18af3c3dec80e58c5 AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --omit=dev

FROM node:24.18.0-bookworm-slim@sha256:cb4e8f7c443347358b7875e717c29e27bf9befc8f5a26cf18af3c3dec80e58c5
# Beyond loopback, or nothing outside of the container could reach it. Publish the port to loopback only.
ENV NODE_ENV=production UPSWELL_HOST=0.0.0.0 UPSWELL_DATA_DIR=/data
WORKDIR /app
# For "start --empty" and "start --sample" only: mount a volume there. On Kafka nothing is written to a disk.
RUN mkdir /data && chown node:node /data
COPY --from=dependencies /app/node_modules node_modules
COPY package.json ./
COPY models models
COPY deploy/healthcheck /usr/local/bin/healthcheck
COPY --from=build /app/dist dist
# The user node, by number: Kubernetes can then check that it is not root.
USER 1000:1000
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 CMD ["healthcheck", "livez"]
ENTRYPOINT ["node", "--enable-source-maps", "/app/dist/src/main.js"]
CMD ["start"]
