#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# tools/servers.sh: fetches servers that some tests try the platform against, where a machine has
# none, into .tools/servers: a newer nats-server, Prometheus with promtool, VictoriaMetrics; and
# programs that verify the log without any of ours: spicy-litetlog, sigsum-verify. They are
# signed packages of Debian's next release (the first of them of Debian 13), unpacked beside the
# project: no root, no service. The mirror is the one that the system's own sources name.
set -eu

cd "$(dirname "$0")/.."
folder=.tools/servers
apt=$PWD/.tools/servers-apt

mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null |
  sed -nE 's/^URIs:[[:space:]]*([^[:space:]]+\/debian)\/?$/\1/p; s/^deb (\[[^]]*\] )?([^ ]+\/debian)\/? .*/\2/p' |
  sed -n 1p)
if [ -z "$mirror" ]; then
  echo 'tools/servers.sh: the sources of this system name no mirror of Debian' >&2
  exit 69
fi

quiet_apt() {
  apt-get -qq -o APT::Sandbox::User=root -o Dir::Etc::SourceParts=/dev/null \
    -o "Dir::Etc::SourceList=$apt/sources.list" -o "Dir::State::Lists=$apt/lists" \
    -o "Dir::Cache=$apt/cache" "$@"
}

rm -rf "$folder.new" "$apt"
trap 'rm -rf "$folder.new" "$apt"' EXIT
mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$folder.new"
for suite in sid trixie; do echo "deb $mirror $suite main"; done >"$apt/sources.list"
quiet_apt update
(cd "$apt" && quiet_apt download nats-server prometheus promtool victoria-metrics sigsum-go litetlog)
for package in "$apt"/*.deb; do dpkg-deb -x "$package" "$apt/unpacked"; done
usr=$apt/unpacked/usr
mkdir "$folder.new/bin"
# Not on the PATH: the older one, which must do, is what is tried first.
mv "$usr/sbin/nats-server" "$folder.new/nats-server"
mv "$usr/bin/prometheus" "$usr/bin/promtool" "$usr/bin/victoria-metrics" "$folder.new/bin"
mv "$usr/bin/spicy-litetlog" "$usr/bin/sigsum-verify" "$usr/bin/sigsum-witness" "$folder.new/bin"
for program in nats-server bin/prometheus bin/promtool bin/victoria-metrics bin/sigsum-verify; do
  if ! "$folder.new/$program" --version >/dev/null 2>&1; then
    echo "tools/servers.sh: $program does not run here" >&2
    exit 1
  fi
done
rm -rf "$folder"
mv "$folder.new" "$folder"
