# Shared by the scripts beside it, which source it: where the tree is, and how packages are installed.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
jobs=$(nproc)

# Whoever runs what is in the tree trusts it, whoever owns it: in a container that is often somebody else.
git() { command git -c "safe.directory=$root" "$@"; }

# packages_of KIND...: what tools/packages.txt lists for these kinds.
packages_of() {
  local kinds=" $* " package kind
  while read -r package kind; do
    [[ $package == '' || $package == '#'* || $kinds != *" $kind "* ]] || echo "$package"
  done <"$root/tools/packages.txt"
}

# install_packages KIND...: installs of these what the system lacks.
install_packages() {
  local packages
  mapfile -t packages < <(packages_of "$@")
  install_missing "${packages[@]}"
}

# is_there PACKAGE: whether it is installed, or another that provides it (a newer nodejs has npm in it).
is_there() {
  [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]] ||
    grep -qE "^installed:.* $1( |,|\$)" <<<"$(dpkg-query -W -f '${db:Status-Status}: ${Provides}\n')"
}

install_missing() {
  local missing=() package sudo=()
  for package in "$@"; do
    is_there "$package" || missing+=("$package")
  done
  ((${#missing[@]})) || return 0
  if ((EUID != 0)); then
    command -v sudo >/dev/null || {
      echo "these packages are missing, and there is neither root nor sudo: ${missing[*]}" >&2
      return 77
    }
    sudo=(sudo)
  fi
  echo "installing ${#missing[@]} packages: ${missing[*]}" >&2
  # Services that come with a package need not run: tests start their own on free ports.
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 sh -c '
    apt-get update -qq &&
    apt-get install -y -qq --no-install-recommends "$@" >/dev/null' apt "${missing[@]}" >&2
}

# build PRESET TARGET [CMAKE ARGUMENTS]: configures one preset and builds a target of it; says no more than warnings
# when all is well. What was said stays in build/PRESET.log.
build() {
  local preset=$1 target=$2 log=$root/build/$1.log
  shift 2
  mkdir -p "$root/build"
  # In a shell of its own: whoever builds stays where the user is.
  if ! (cd "$root" && cmake --preset "$preset" "$@" && cmake --build --preset "$preset" --target "$target" -j "$jobs") >"$log" 2>&1; then
    tail -n 60 "$log" >&2
    return 1
  fi
  grep -A 4 -E ': warning: ' "$log" >&2 || true
}
