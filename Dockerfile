# Both base images are parameters, pinned by digest: the same Dockerfile builds the same image tomorrow.
ARG BUILD_IMAGE=node:24-bookworm-slim@sha256:6f7b03f7c2c8e2e784dcf9295400527b9b1270fd37b7e9a7285cf83b6951452d
ARG RUNTIME_IMAGE=gcr.io/distroless/nodejs24-debian12:nonroot@sha256:14d42e2511532589a7c7e01a753667a74fcc96266e137e8125006b87b0c32d0a

FROM ${BUILD_IMAGE} AS build
WORKDIR /src
# Manifests first: dependencies are installed again only when they change. Only the app's, not the infrastructure's.
COPY package.json package-lock.json .npmrc ./
COPY app/package.json app/
RUN npm ci --workspace app
COPY app/build.ts app/bundle.ts app/
COPY app/src app/src
# A folder with an entry point of your own, main.ts, beside the app: docs/add-a-tool.md. It may have packages of its own.
ARG CODE=app/src
ARG ENTRY=$CODE/main.ts
COPY $CODE $CODE
RUN if [ -f "$CODE/package-lock.json" ]; then npm ci --prefix "$CODE" --omit dev; fi
# The version is baked into the bundle; without one it is the version of app/package.json.
ARG VERSION=
RUN node app/build.ts --entry "$ENTRY" ${VERSION:+--version "$VERSION"} --out /out/main.mjs && mkdir /out/data

FROM ${RUNTIME_IMAGE}
COPY --from=build /out/main.mjs /app/main.mjs
# Where a volume may be put: Docker gives a new one the owner of what it covers.
COPY --from=build --chown=65532:65532 /out/data /data
# By number, so that Kubernetes can tell that it is not root.
USER 65532:65532
EXPOSE 8080 9090
# The base image's entry point is node itself: there is no shell, and node is process 1 and gets the signals.
CMD ["/app/main.mjs"]
