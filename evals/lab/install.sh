#!/bin/sh
# Installs what the lab needs on Debian (bookworm or newer), and nothing else. It may be run again.
set -eu

PACKAGES="systemd-container dbus docker.io docker-compose busybox-static supervisor redis-server postgresql \
openssh-server openssh-client iproute2 procps util-linux"

missing=""
for package in $PACKAGES; do
  status=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$status" = installed ] || missing="$missing $package"
done
if [ -z "$missing" ]; then
  echo "the lab has all its packages"
  exit 0
fi
if [ "$(id -u)" -ne 0 ]; then
  echo "missing:$missing: run this as root" >&2
  exit 1
fi

# The lab starts its own daemons: those of the packages shall stay off.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
  trap 'rm -f "$policy"' EXIT
fi

export DEBIAN_FRONTEND=noninteractive
apt-get update -q
# The names are meant to be split into words.
# shellcheck disable=SC2086
apt-get install -q -y --no-install-recommends $missing
