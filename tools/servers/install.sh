#!/usr/bin/env bash
# Installs the servers that the tests of MySQL and PostgreSQL start for themselves. Needs root and apt-get; does nothing where both are there.
set -euo pipefail
has_mariadb() { command -v mariadbd >/dev/null || [ -x /usr/sbin/mariadbd ]; }
has_postgres() { compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || command -v initdb >/dev/null; }
wanted=()
has_mariadb || wanted+=(mariadb-server)
has_postgres || wanted+=(postgresql)
[ ${#wanted[@]} -gt 0 ] || exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  echo "Install ${wanted[*]} with the package manager of this machine; only root with apt-get can do it here." >&2
  exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${wanted[@]}" >/dev/null
