# The gateway in a container; README.md says how to run it.
#
# One Debian builds the package, another one gets it: neither a compiler nor
# sources are in the image.  Configuration and keys are mounted, and never a
# part of it.

ARG BASE=debian:bookworm-slim


FROM ${BASE} AS build

RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y \
        --no-install-recommends build-essential debhelper nginx-dev \
        libhiredis-dev libjansson-dev libssl-dev

COPY config config.make LICENSE CHANGELOG.md README.md SECURITY.md \
    TROUBLESHOOTING.md /gateway/
COPY docs /gateway/docs
COPY src /gateway/src
COPY tools /gateway/tools
COPY conf-examples/*.* /gateway/conf-examples/
COPY debian /gateway/debian

RUN /gateway/tools/deb /package \
    && rm /package/*-dbgsym_*


FROM ${BASE}

COPY --from=build /package/*.deb /tmp/

RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y \
        --no-install-recommends ca-certificates /tmp/*.deb \
    && rm -rf /tmp/*.deb /var/lib/apt/lists/* /var/cache/apt/*.bin \
        /var/log/apt /var/log/dpkg.log /var/log/alternatives.log \
        /etc/nginx/nginx.conf /etc/nginx/sites-* \
    && install -d -o www-data -g www-data /run/nginx /var/lib/nginx

# www-data; by its number, so that an orchestrator sees that it is not root
USER 33:33

EXPOSE 8080

# Says that nginx answers, and nothing of Redis or the API: another container
# would not be better off.
ENV HEALTH_PORT=8081

HEALTHCHECK --interval=10s --timeout=3s --start-period=5s CMD \
    exec bash -c 'exec 3<> /dev/tcp/127.0.0.1/$HEALTH_PORT \
        && printf "GET /healthy HTTP/1.0\r\n\r\n" >&3 \
        && read -r protocol status rest <&3 && [ "$status" = 200 ]'

# finish what was sent to the API, and store the answer
STOPSIGNAL SIGQUIT

CMD ["nginx", "-e", "stderr", "-g", "daemon off;"]
