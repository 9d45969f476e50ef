# The service alone: give it a PostgreSQL through DATABASE_URL and secret keys through LATCHKEY_SECRET_KEY.

FROM rust:1.95.0-slim-bookworm AS builder
WORKDIR /src
COPY . .
# The statements are checked against the committed .sqlx: no database is needed to build.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked --bin latchkey \
    && cp target/release/latchkey /usr/local/bin/latchkey

FROM debian:bookworm-slim
# The certificate authorities that webhook endpoints are checked against.
RUN apt-get update && apt-get install --yes --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/latchkey latchkey
COPY --from=builder /usr/local/bin/latchkey /usr/local/bin/latchkey
USER latchkey
ENV LATCHKEY_LISTEN=0.0.0.0:8080 LATCHKEY_DATA_DIR=/var/lib/latchkey LATCHKEY_LOG_FORMAT=json
EXPOSE 8080
# Bash asks, so that the image needs no HTTP client. /healthz: a database that is down is no reason to restart the service.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s CMD ["bash", "-c", \
    "exec 3<>/dev/tcp/127.0.0.1/8080; printf 'GET /healthz HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n' >&3; read -r status <&3; [[ $status == *' 200 '* ]]"]
ENTRYPOINT ["latchkey"]
CMD ["serve"]
