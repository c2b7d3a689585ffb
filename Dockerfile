# Builds the executable and puts nothing else into the image.
FROM node:22-bookworm-slim AS build
WORKDIR /src
COPY package.json bun.lock ./
# Bun's version stands in package.json alone.
RUN npm install --global "$(node -p "require('./package.json').packageManager")" \
 && bun install --frozen-lockfile
COPY tsconfig.json ./
COPY .ci/build.ts .ci/
COPY drizzle drizzle
COPY src src
RUN bun .ci/build.ts
# What the executable is linked with, and the two folders that it writes to: nothing else goes into the image.
RUN mkdir -p /image/usr/local/bin /image/data /image/tmp \
 && cp dist/discord-mcp /image/usr/local/bin/ \
 && ldd dist/discord-mcp | grep -o '/[^ )]*' | xargs -I{} cp --parents -L {} /image \
 && chown 65532:65532 /image/data && chmod 1777 /image/tmp

FROM scratch
COPY --from=build /image /
ENV MCP_HOST=0.0.0.0 \
    MCP_PORT=8000 \
    DATABASE_URL=file:/data/discord-mcp.db
WORKDIR /data
VOLUME /data
EXPOSE 8000
USER 65532:65532
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s \
  CMD ["/usr/local/bin/discord-mcp", "doctor", "--live"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/discord-mcp"]
