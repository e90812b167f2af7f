FROM rust:1.95-slim-trixie AS build
WORKDIR /build
COPY . .
# Without the feature that downloads PostgreSQL: here the database is a container of its own. With
# the one that sends traces.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target \
    cargo build --release --locked --no-default-features --features otel \
    && cp target/release/clientele /usr/local/bin/clientele

FROM debian:trixie-slim
# Certificates, for a database that is reached over TLS.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /usr/local/bin/clientele /usr/local/bin/clientele
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin clientele
USER clientele
WORKDIR /
ENV CLIENTELE_BIND=0.0.0.0:8080
EXPOSE 8080
# Ready, not only alive: it answers and so does its database.
HEALTHCHECK --interval=5s --timeout=4s --start-period=30s --retries=3 CMD \
    ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8080 && printf 'GET /health/ready HTTP/1.1\\r\\nhost: localhost\\r\\nconnection: close\\r\\n\\r\\n' >&3 && read -r _ status _ <&3 && [ \"$status\" = 200 ]"]
ENTRYPOINT ["clientele"]
CMD ["serve"]
