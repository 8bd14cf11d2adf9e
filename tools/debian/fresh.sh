# Shared by the checks that want a Debian of their own, in a folder that ends with them: sourced after setup.sh.

# The release that a part such as debian13 names.
suite_of() {
  case $1 in
    debian12) echo bookworm ;;
    debian13) echo trixie ;;
  esac
}

# The mirror that this machine's own packages come from.
mirror() {
  # shellcheck disable=SC2016  # apt fills these in
  apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Component: main' 'Label: Debian' | head -n 1
}

# make_debian SUITE FOLDER: a minimal Debian. Where CCACHE_DIR names a compiler's cache, it is used in there, too.
make_debian() {
  ((EUID == 0)) || { echo "a Debian of its own is made by root alone" >&2; return 77; }
  install_packages chroot
  local from
  from=$(mirror)
  [[ $from ]] || { apt-get update -qq; from=$(mirror); }
  echo "making a minimal Debian ($1)" >&2
  debootstrap --variant=minbase ${CCACHE_DIR:+--include=ccache} "$1" "$2" "$from" >"$2.log" || { tail -n 20 "$2.log" >&2; return 1; }
}

# copy_tree FOLDER: the tree as it is, with what is not committed and with its history, but without what was built.
copy_tree() {
  git clone -q --depth 2 "file://$root" "$1"
  git -C "$1" rm -q -r --cached . && find "$1" -mindepth 1 -maxdepth 1 ! -name .git -exec rm -r {} +
  git -C "$root" ls-files -z --cached --others --exclude-standard |
    tar -C "$root" --null --ignore-failed-read -T - -c 2>/dev/null | tar -C "$1" --no-same-owner -x
  git -C "$1" reset -q
}

# in_debian FOLDER COMMAND...: runs it there as root of a system that has just started. Mounts and processes are its
# own, and end with it.
in_debian() {
  # shellcheck disable=SC2016  # the inner shell's
  unshare --mount --propagation private --pid --fork --kill-child sh -c '
    set -e
    mount --bind "$0" "$0"  # the root of what runs in there is a mount, as that of a system is
    cd "$0"
    mount -t proc proc proc
    mount --rbind /sys sys
    mount --rbind /dev dev
    if [ "$CCACHE_DIR" ]; then mkdir -p ccache; mount --bind "$CCACHE_DIR" ccache; fi
    exec chroot . env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
      TERM="${TERM:-dumb}" ${CCACHE_DIR:+CCACHE_DIR=/ccache CCACHE_BASEDIR=/netkit} "$@"' "$@"
}
