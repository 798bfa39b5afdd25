/**
 * Text that all scripts on a consumer begin with. They run there by `sh -c TEXT breezeblock ARGUMENT…`, are constants, and
 * take all data as positional arguments or on standard input. POSIX sh, GNU coreutils and findutils, grep, udev; what
 * is read once a volume (sysfs, records) is read by the shell itself, because starting a process is what costs.
 *
 * Commands that may print a prompt or read are given `</dev/null`, so that standard input stays the script's.
 */

/** Exit codes with a meaning of their own; every other failure is 1 or the tool's. */
export const exitCodes = {
  /** Something uses the device or the file system; stderr names it. Nothing was changed. */
  busy: 10,
  /** What the consumer lacks; nothing was changed. */
  invalidConnector: 11,
  /** What was asked for cannot be had here: another type of file system, a mount point in use. */
  invalidInput: 12,
  /** An ability that this consumer does not have. */
  notSupported: 13,
  /** The storage side refused the login. */
  loginRefused: 14,
  /** No portal could be connected to. */
  noPortal: 15,
} as const;

/** One file a volume that this consumer was connected to by breezeblock, named by its id; only root reads it. */
export const recordDirectory = "/etc/breezeblock/connections";

/**
 * `get FILE` reads the first line into `$value`; false where there is none. A NUL byte is passed over, as shells do.
 * `until_true TENTHS COMMAND…` waits at most that long for a command to succeed.
 */
export const prelude = `set -u
say() { printf '%s\\n' "$*"; }
fail() { printf '%s\\n' "$2" >&2; exit "$1"; }
get() { value=; { IFS= read -r value || [ -n "$value" ]; } <"$1"; } 2>/dev/null
put() { { printf '%s' "$1" >"$2"; } 2>/dev/null; }
until_true() {
  tenths=$1; shift
  until "$@"; do
    [ "$tenths" -gt 0 ] || return 1
    tenths=$((tenths - 1))
    sleep 0.1
  done
}
newline='
'
records=${recordDirectory}
`;

/**
 * `record_of ID` reads a record into `$record_…`; false where there is none. `keep_record ID TEXT` writes one, durably
 * and at once; `forget_record ID` is the last step of every disconnection.
 */
export const recordFunctions = `
record_of() {
  record_protocol= record_target= record_lun= record_serial= record_multipath= record_portals= record_path= record_wwid=
  [ -f "$records/$1" ] || return 1
  while read -r key text; do
    case $key in
      protocol) record_protocol=$text ;;
      target) record_target=$text ;;
      lun) record_lun=$text ;;
      serial) record_serial=$text ;;
      multipath) record_multipath=$text ;;
      portal) record_portals="$record_portals $text" ;;
      path) record_path=$text ;;
      wwid) record_wwid=$text ;;
    esac
  done <"$records/$1"
}
# PROTOCOL: a connection of another one is for that to end
require_protocol() {
  [ "$record_protocol" = "$1" ] || fail 1 "this consumer is connected to the volume over $record_protocol, not $1"
}
# ID TEXT
keep_record() {
  mkdir -p -- "$records" || exit 1
  old=
  if [ -f "$records/$1" ]; then
    while IFS= read -r line; do old="$old$line$newline"; done <"$records/$1"
    [ "$old" != "$2" ] || return 0
  fi
  printf '%s' "$2" >"$records/.$1" && sync -- "$records/.$1" && mv -f -- "$records/.$1" "$records/$1" &&
    sync -- "$records" || exit 1
}
forget_record() {
  [ -d "$records" ] || return 0
  rm -f -- "$records/$1" "$records/.$1" && sync -- "$records" || exit 1
}
`;

/**
 * `users_of NAME [HOLDER]` prints what uses the block device of that kernel name or a partition of it, one line each,
 * at most five a kind: mounts (in every process's view), devices on top of it but HOLDER, swap, processes that have it open.
 */
export const usageFunctions = `
process() {
  get "/proc/$1/comm" || return 1
  say "$value (process $1)"
}
# NUMBER
mounts_of() {
  here=
  while read -r _ _ number _ point _; do
    [ "$number" != "$1" ] || here="$here $point"
  done </proc/self/mountinfo
  for point in $here; do printf 'mounted at %b\\n' "$point"; done
  [ -z "$here" ] || return 0
  count=0
  for file in $(grep -ls " $1 " /proc/[0-9]*/mountinfo); do
    file=\${file#/proc/}
    who=$(process "\${file%%/*}") || continue
    say "mounted in the mount namespace of $who"
    count=$((count + 1))
    [ "$count" -lt 5 ] || break
  done
}
# NAME: processes that have the device node open
openers_of() {
  count=0
  for file in $(find /proc/[0-9]*/fd -lname "/dev/$1" 2>/dev/null); do
    file=\${file#/proc/}
    pid=\${file%%/*}
    get "/proc/$pid/comm" || continue
    # Those look at every device that changes, and let go of it by themselves.
    case $value in '(udev-worker)' | systemd-udevd | multipathd) continue ;; esac
    say "opened by $value (process $pid)"
    count=$((count + 1))
    [ "$count" -lt 5 ] || break
  done
}
# NAME [HOLDER]
users_of() {
  for part in "/sys/block/$1" "/sys/block/$1/$1"*; do
    get "$part/dev" || continue
    mounts_of "$value"
    name=\${part##*/}
    for holder in "$part/holders"/*; do
      [ -e "$holder" ] || continue
      user=\${holder##*/}
      [ "$user" != "\${2-}" ] || continue
      if get "$holder/dm/name"; then say "in use by the device-mapper device $value"; else say "in use by $user"; fi
    done
    while read -r path _; do
      [ "$path" != "/dev/$name" ] || say "used as swap space"
    done </proc/swaps
    openers_of "$name"
  done
}
# NAME [HOLDER]: refuses where something uses it; what only looks at it is given time to finish.
refuse_used() {
  used=$(users_of "$@")
  case $used in '') return ;; *'opened by'*) sleep 1; used=$(users_of "$@") ;; esac
  [ -z "$used" ] || fail ${exitCodes.busy} "$used"
}
`;

/**
 * `find_link NAME PREFERRED…` sets `$link` to a stable path below /dev/disk/by-id that resolves to that very device: the
 * first of PREFERRED (names or patterns) that does. `settled COMMAND…` repeats a command until udev has done its part.
 */
export const linkFunctions = `
# NAME PREFERRED…
find_link() {
  device=/dev/$1; shift
  [ -b "$device" ] || return 1
  for pattern; do
    for link in /dev/disk/by-id/$pattern; do
      [ "$link" -ef "$device" ] && return 0
    done
  done
  return 1
}
settled() {
  "$@" && return
  udevadm settle --timeout=10 </dev/null >/dev/null 2>&1
  until_true 100 "$@"
}
`;
