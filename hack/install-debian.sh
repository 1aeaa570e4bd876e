#!/bin/bash
# Installs what the local cluster, the Spark image and the tests need on a bare
# Debian 12 machine that has Go, and nothing that is already there. Running it
# again costs a fraction of a second: it looks for the things themselves and
# asks the package manager only for those that are missing. With "emulation" it
# installs what emulated machines need instead.
set -euo pipefail
PATH=$PATH:/usr/sbin:/sbin

# Each line: the Debian package, what it is needed for, and how to see that the
# machine has it already, from wherever.
needs() {
  cat <<'LIST'
ca-certificates|downloads by TLS|test -s /etc/ssl/certs/ca-certificates.crt
make|the Makefile|command -v make
python3|downloads from PyPI|command -v python3
python3-pip|downloads from PyPI|python3 -c 'import pip'
openjdk-17-jdk-headless|spark-submit, and the image's Java runtime|has_jdk
mmdebstrap|the Spark image's userland|command -v mmdebstrap
gcc|runc and the race detector|command -v gcc
libc6-dev|runc and the race detector|test -e /usr/include/stdio.h
pkg-config|runc|command -v pkg-config
libseccomp-dev|runc|test -e /usr/include/seccomp.h
nftables|Services on real nodes|command -v nft
iptables|pod networks on real nodes|command -v iptables
procps|Spark's scripts|command -v ps
LIST
}

needs_for_emulation() {
  cat <<'LIST'
qemu-system-x86|emulated machines|command -v qemu-system-x86_64
LIST
}

# A JDK 17 that smaller runtimes can be cut from (a JRE is not enough).
has_jdk() {
  local home
  for home in ${JAVA_HOME:+"$JAVA_HOME"} /usr/lib/jvm/*; do
    if [[ -x $home/bin/jlink && -e $home/jmods/java.base.jmod ]] &&
      grep -q '^JAVA_VERSION="17' "$home/release" 2>/dev/null; then
      return 0
    fi
  done
  return 1
}

packages=() reasons=()
while IFS='|' read -r package reason check; do
  if ! eval "$check" >/dev/null 2>&1 </dev/null; then
    packages+=("$package") reasons+=("$reason")
  fi
done < <("needs${1:+_for_$1}")

if [[ ${#packages[@]} -eq 0 ]]; then
  exit 0
fi

if ! command -v apt-get >/dev/null; then
  echo "This machine lacks: ${packages[*]} (names of Debian's packages)." >&2
  echo "It has no apt-get: please install their like with its own package manager." >&2
  exit 1
fi
if [[ $(id -u) -ne 0 ]]; then
  echo "This machine lacks: ${packages[*]}. Install them, or run as root: $0" >&2
  exit 1
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive
# Each call's output is only worth reading where it fails.
quietly() {
  if ! "$@" >"$log" 2>&1 </dev/null; then
    tail -n 20 "$log" >&2
    echo "failed: $*" >&2
    exit 1
  fi
}

quietly apt-get update -qq
for i in "${!packages[@]}"; do
  start=$SECONDS
  quietly apt-get install -y -qq --no-install-recommends "${packages[i]}"
  echo "installed ${packages[i]} for ${reasons[i]} ($((SECONDS - start)) s)"
done
