FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# All native code comes prebuilt in packages, so no install script and no compiler is needed.
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY src src
COPY bench bench
RUN npm run build

FROM node:24-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --omit=dev

FROM node:24-slim
ENV NODE_ENV=production UPSWELL_HOST=0.0.0.0 UPSWELL_DATA_DIR=/data
WORKDIR /app
RUN mkdir /data && chown node:node /data
COPY --from=dependencies /app/node_modules node_modules
COPY package.json ./
COPY models models
COPY schemas schemas
COPY --from=build /app/dist dist
USER node
# The embedded store. Used only if KAFKA_BROKERS is not set.
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.UPSWELL_PORT || 8080) + '/livez').then(answer => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "--enable-source-maps", "/app/dist/src/main.js"]
CMD ["start"]
