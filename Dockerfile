# SPDX-License-Identifier: Apache-2.0
# The image of Octolake, for docker, podman and buildah (Containerfile is a link to this file):
#
#   docker build -t gh-events .
#   docker run -p 9000:9000 -p 8501:8501 -e LIVE=true -v octolake:/data gh-events
#
# The first stage is the build of ./run on a bare Debian, the second has the program, its libraries and
# nothing else. tools/try-container builds and runs it.
ARG DEBIAN=12

FROM docker.io/library/debian:${DEBIAN}-slim AS build
WORKDIR /src
# What changes seldom comes first: a change of the sources does not install everything again.
COPY tools/install_packages tools/packages.txt tools/explain.sh tools/
RUN tools/install_packages build
COPY package.json package-lock.json .npmrc ./
COPY tools/fetch_dependencies tools/
RUN tools/fetch_dependencies
COPY . .
RUN ./run --build-only && cmake --install build/release --strip --prefix /opt/octolake
# The packages that hold the libraries which the programs are linked to, whatever this Debian calls them.
RUN for file in /opt/octolake/bin/*; do ldd "$file"; done \
	| awk '$2 == "=>" && $3 ~ "^/" && $3 !~ "^/opt/" { print $3 }' | sort -u | xargs -n 1 realpath | sort -u \
	| while read -r file; do dpkg-query -S "$file" 2>/dev/null || dpkg-query -S "${file#/usr}"; done \
	| cut -d: -f1 | sort -u >/opt/octolake/packages && test -s /opt/octolake/packages

FROM docker.io/library/debian:${DEBIAN}-slim
COPY --from=build /opt/octolake /opt/octolake
RUN apt-get update -qq \
	&& DEBIAN_FRONTEND=noninteractive xargs apt-get install -qq -y --no-install-recommends ca-certificates \
		</opt/octolake/packages \
	&& rm -rf /var/lib/apt/lists/* /var/cache/* /var/log/* \
	&& groupadd --gid 10001 octolake \
	&& useradd --uid 10001 --gid 10001 --home-dir /nonexistent --no-create-home --shell /usr/sbin/nologin octolake \
	&& install -d -o 10001 -g 10001 /data \
	&& install -d /config
# A port that docker publishes leads to the container's own address, not to its loopback: so this image
# listens on every address, says so at its start, and whoever publishes the ports decides who reaches them.
ENV OCTOLAKE_LISTEN=0.0.0.0 \
	OCTOLAKE_DATA=/data \
	LIVE=true \
	PATH=/opt/octolake/bin:/usr/local/bin:/usr/bin:/bin
USER 10001:10001
# Settings, metric and event files are looked for here: -v ./metrics.yaml:/config/metrics.yaml:ro
WORKDIR /config
VOLUME /data
EXPOSE 9000 8501
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 CMD ["octolake", "health"]
ENTRYPOINT ["octolake"]
CMD ["run"]
