import { jobsDirectory } from "./names.ts";

/** Exit codes with a meaning of their own; every other failure is 1 or LVM's (3: wrong arguments, 5: failed). */
export const exitCodes = {
  /** The logical volume is no longer what the decision was made from. */
  changed: 11,
  /** Something has the logical volume's device open. */
  inUse: 12,
  /** A copy-on-write snapshot hangs on the logical volume. */
  hasSnapshots: 13,
  /** A logical volume that the work needs is not there. */
  missing: 14,
} as const;

/*
 * LVM reports descriptors that it did not open itself; the one here is the backend's lock, and is wanted.
 *
 * `-S` makes LVM itself check, in the same command and under its own lock, that a logical volume is still the one that
 * was decided about: its UUID, our tags and, before it is destroyed, that nothing uses it. Nothing selected is no
 * failure to LVM, which is why the answer is looked at.
 */
const start = String.raw`set -u
LVM_SUPPRESS_FD_WARNINGS=1; export LVM_SUPPRESS_FD_WARNINGS
fail() { printf '%s\n' "$2" >&2; exit "$1"; }

# The UUIDs of a device's volume group and logical volume, as the device mapper keeps them.
dm_uuid() {
  set -- $(stat -L -c '%t %T' -- "$1") && [ $# -eq 2 ] &&
    IFS= read -r dm_uuid < "/sys/dev/block/$((0x$1)):$((0x$2))/dm/uuid" && printf '%s\n' "$dm_uuid"
}

# Says why a logical volume was not selected, and ends the script. Open comes first: an origin may be changed while it has
# snapshots, and nobody is to delete them because of a mount.
explain() {
  attributes=$(lvs --noheadings -o lv_attr "$1") || exit
  case $attributes in
    *?????o????) fail ${exitCodes.inUse} "the logical volume $1 is in use: something has its device open" ;;
    *[oO]?????????) fail ${exitCodes.hasSnapshots} "the logical volume $1 has copy-on-write snapshots" ;;
    *) fail ${exitCodes.changed} "the logical volume $1 was changed by something that does not hold the lock" ;;
  esac
}

# prove_same NAME SELECTION: what has the name is still what was decided about.
prove_same() {
  same=$(lvs --noheadings -o lv_uuid -S "$2" "$1") || exit
  [ -n "$same" ] ||
    fail ${exitCodes.changed} "the logical volume $1 was changed by something that does not hold the lock"
}

# change NAME SELECTION ARGUMENT… What is open may be so for a moment only: udev looks at what was written to.
change() {
  name=$1 selection=$2 tries=5
  shift 2
  while :; do
    said=$(lvchange -S "$selection" "$@" "$name") || exit
    case $said in *changed*) return 0 ;; esac
    tries=$((tries - 1))
    attributes=$(lvs --noheadings -o lv_attr "$name") || exit
    case $tries$attributes in 0*) break ;; *?????o????) sleep 0.2 ;; *) break ;; esac
  done
  explain "$name"
}

# remove NAME SELECTION ARGUMENT…: gone already is success.
remove() {
  name=$1 selection=$2
  shift 2
  if said=$(lvremove -y -S "$selection" "$@" "$name" 2>&1); then
    case $said in *'successfully removed'*) ;; *) explain "$name" ;; esac
    return 0
  fi
  case $said in
    *'Failed to find logical volume'*) return 0 ;;
    *' in use'*|*'is used by another device'*) fail ${exitCodes.inUse} "$said" ;;
    *) fail 1 "$said" ;;
  esac
}
`;

const appear = `
# appear DEVICE: also where the logical volume was left inactive on purpose, or by a reboot.
appear() {
  [ -b "$1" ] || lvchange -ay -K "\${1#/dev/}" >/dev/null || exit
  [ -b "$1" ] || fail 1 "the logical volume \${1#/dev/} is active, but its device $1 is not there"
}
`;

/**
 * `DEVICE ORIGIN SELECTION ARGUMENT…`: the arguments of one `lvcreate`. Prints the device mapper's UUID of what was made. The
 * origin of a snapshot (otherwise empty) is proven, and made to appear first: without it its snapshot would not. The directory of jobs is
 * made here because every job fills something that is made first.
 */
export const createScript = `${start}${appear}
[ -d ${jobsDirectory} ] || mkdir -p ${jobsDirectory} || exit
device=$1
if [ -n "$2" ]; then
  prove_same "\${2#/dev/}" "$3"
  appear "$2"
fi
shift 3
lvcreate "$@" >/dev/null || exit
dm_uuid "$device"
`;

/** `NAME SELECTION ARGUMENT…`: one `lvchange`. */
export const changeScript = `${start}
change "$@"
`;

/** stdin: for each change four lines: a name, a selection, the tags to take off, the tags to put on, each after a space. */
export const changeManyScript = `${start}
while IFS= read -r name && IFS= read -r selection && IFS= read -r old && IFS= read -r new; do
  set --
  for tag in $old; do set -- "$@" --deltag "$tag"; done
  for tag in $new; do set -- "$@" --addtag "$tag"; done
  change "$name" "$selection" "$@"
done
exit 0
`;

/** `SELECTION OLD NEW NAME…`: takes one tag off and puts one on, wherever the selection holds. */
export const retagScript = `${start}
selection=$1 old=$2 new=$3
shift 3
lvchange -S "$selection" --deltag "$old" --addtag "$new" "$@" >/dev/null
`;

/** `NAME SELECTION [NAME SELECTION]…` */
export const removeScript = `${start}
while [ $# -gt 0 ]; do
  remove "$1" "$2"
  shift 2
done
exit 0
`;

/**
 * `NAME SELECTION EXTENTS ARGUMENT…`: grows to that many extents, unless it has them, then changes it by the arguments,
 * where there are any.
 */
export const growScript = `${start}
name=$1 selection=$2 extents=$3
shift 3
prove_same "$name" "$selection"
if ! said=$(lvextend -l "$extents" "$name" 2>&1); then
  case $said in *'matches existing size'*) ;; *) fail 1 "$said" ;; esac
fi
[ $# -eq 0 ] || change "$name" "$selection" "$@"
`;

/**
 * `NAME SELECTION RESERVATION SELECTION EXTENTS`: grows by so many extents, onto exactly those that the reservation has
 * been cleared on. Freed without a discard: what a discarded block reads as is the disk's choice.
 */
export const growOntoScript = `${start}
ranges=$(lvs --noheadings --segments -o seg_pe_ranges -S "$4" "$3") || exit
[ -n "$ranges" ] || explain "$3"
same=$(lvs --noheadings -o lv_uuid -S "$2" "$1") || exit
[ -n "$same" ] || explain "$1"
grown=$1 extents=$5
remove "$3" "$4" --config devices/issue_discards=0
set -- "$grown"
for range in $ranges; do
  # A colon or an at sign in a device's own name has to be escaped.
  set -- "$@" "$(printf '%s\\n' "\${range%:*}" | sed 's/[:@]/\\\\&/g'):\${range##*:}"
done
lvextend -l "+$extents" "$@" >/dev/null
`;

/** `DEVICE`: makes it appear. */
export const activateScript = `${start}
${appear}
appear "$1"
`;

/** `NAME SELECTION`: makes a copy-on-write snapshot a logical volume of its own, which holds what its space held. */
export const splitScript = `${start}
same=$(lvs --noheadings -o lv_uuid -S "$2" "$1") || exit
[ -n "$same" ] || explain "$1"
lvconvert -y --splitsnapshot "$1" >/dev/null
`;

/**
 * `NAME…`, each `volume-group/logical-volume`: prints who has its device open, one line each: the name, a tab, words that
 * go on from "it". Nothing for what nobody is known to use.
 */
export const usersScript = `${start}
tell() { printf '%s\\t%s\\n' "$name" "$1"; }
for name do
  device=/dev/$name
  numbers=$(stat -L -c '0x%t 0x%T' -- "$device" 2>/dev/null) || continue
  numbers=$((\${numbers% *})):$((\${numbers#* }))
  while read -r _ _ mounted _ point _; do
    [ "$mounted" != "$numbers" ] || tell "is mounted at $point"
  done < /proc/self/mountinfo
  while read -r swap _; do
    [ ! "$swap" -ef "$device" ] || tell 'is swap space'
  done < /proc/swaps
  for holder in /sys/dev/block/"$numbers"/holders/*; do
    [ ! -e "$holder" ] || tell "is used by the device \${holder##*/}"
  done
  for path in /sys/kernel/config/target/core/*/*/udev_path /sys/kernel/config/nvmet/subsystems/*/namespaces/*/device_path; do
    [ -r "$path" ] || continue
    target=
    IFS= read -r target < "$path"
    [ ! "$target" -ef "$device" ] || tell "is exported by the kernel ($path)"
  done
done
exit 0
`;

/** `NAME SELECTION NEW_NAME`: renames, and prints nothing; done already is success. */
export const renameScript = `${start}
same=$(lvs --noheadings -o lv_uuid -S "$2" "$1") || exit
[ -n "$same" ] || explain "$1"
lvrename "$1" "$3" >/dev/null
`;

/** All that a backend needs besides its volume group, proven before anything is asked of it. */
export const toolsScript = `${start}
for tool in lvm lvcreate lvchange lvremove lvextend lvconvert lvrename lvs dmsetup; do
  command -v "$tool" >/dev/null || fail 1 "$tool is not installed (package lvm2 or dmsetup)"
done
for tool in flock setsid blkdiscard blockdev; do
  command -v "$tool" >/dev/null || fail 1 "$tool is not installed (package util-linux)"
done
for tool in dd stat sync sed mkdir; do
  command -v "$tool" >/dev/null || fail 1 "$tool is not installed (package coreutils or sed)"
done
[ -d /sys/dev/block ] || fail 1 "/sys is not mounted"
[ "$(id -u)" = 0 ] || fail 1 "LVM needs root, and this is $(id -un)"
[ "$1" != thin ] || command -v thin_check >/dev/null ||
  fail 1 "thin_check is not installed (package thin-provisioning-tools or device-mapper-persistent-data)"
shift
exec "$@"
`;

/** The jobs: detached, without the lock. Each writes to nothing but one device, and proves first that it is the one. */
const startJob = `${start}
idle=; command -v ionice >/dev/null && idle='ionice -c 3'
force=; blkdiscard --help | grep -q -- --force && force=--force

# prove DEVICE UUID
prove() {
  [ "$(dm_uuid "$1")" = "$2" ] || fail ${exitCodes.missing} "the device $1 is not the logical volume with the UUID $2"
}

${appear}

# wanted DEVICE SELECTION: started late, after another run has finished it, a job would write over what is used by then.
wanted() {
  found=$(lvs --noheadings -o lv_uuid -S "$2" "\${1#/dev/}") || exit
  [ -n "$found" ] || fail ${exitCodes.changed} "the logical volume \${1#/dev/} is not being made any more"
}

# zero DEVICE OFFSET BYTES
zero() {
  $idle blkdiscard $force --zeroout -o "$2" -l "$3" "$1" 2>/dev/null ||
    $idle dd if=/dev/zero of="$1" bs=1M iflag=count_bytes oflag=seek_bytes,direct conv=notrunc,nocreat \\
      seek="$2" count="$3" status=none
}

# copy SOURCE DEVICE OFFSET BYTES CONVERSION
copy() {
  $idle dd if="$1" of="$2" bs=4M iflag=direct,skip_bytes,count_bytes oflag=direct,seek_bytes conv=notrunc,nocreat$5 \\
    skip="$3" seek="$3" count="$4" status=none
}

# clear DEVICE FROM MIB_PER_SECOND: to its end.
clear() {
  size=$(blockdev --getsize64 "$1") || exit
  done=$2 piece=268435456 began=$(date +%s)
  [ "$3" -eq 0 ] || [ "$3" -ge 128 ] || piece=$(($3 * 2 * 1048576))
  while [ "$done" -lt "$size" ]; do
    [ $((size - done)) -ge "$piece" ] || piece=$((size - done))
    zero "$1" "$done" "$piece" || exit 1
    done=$((done + piece))
    printf 'cleared %s of %s bytes\\n' "$((done - $2))" "$((size - $2))"
    if [ "$3" -gt 0 ]; then
      ahead=$(((done - $2) / 1048576 / $3 - ($(date +%s) - began)))
      [ "$ahead" -le 0 ] || sleep "$ahead"
    fi
  done
}
`;

/**
 * `MIB_PER_SECOND SELECTION DEVICE UUID…`; 0 is as fast as it goes. Where there is a selection, it must hold for each of them.
 * The open descriptor keeps a device from being removed.
 */
export const clearJobScript = `${startJob}
rate=$1 selection=$2
shift 2
while [ $# -gt 0 ]; do
  appear "$1"
  exec 3<>"$1" || exit 1
  prove "$1" "$2"
  [ -z "$selection" ] || wanted "$1" "$selection"
  clear "$1" 0 "$rate"
  sync -- "$1" || exit 1
  shift 2
done
`;

/**
 * `DEVICE UUID SNAPSHOT_DEVICE SNAPSHOT_UUID SELECTION`: merges a copy-on-write snapshot into its origin, which nothing may
 * have open, and only while the selection holds for it: started late, it would take back what was written meanwhile.
 * From the first moment of a merge the origin reads as the snapshot did. A merge that a reboot or a kill broke off is
 * gone on with by LVM; what is waited for is that the origin has none any more.
 */
export const mergeJobScript = `${startJob}
origin=\${1#/dev/} snapshot=\${3#/dev/}
appear "$1"
prove "$1" "$2"
attributes=$(lvs --noheadings -o lv_attr "$origin") || exit
case $attributes in
  *O?????????) lvchange --poll y "$origin" >/dev/null || exit ;;
  *?????o????) fail ${exitCodes.inUse} "the logical volume $origin is in use: something has its device open" ;;
  *)
    # No longer there: it was merged.
    if lvs --noheadings -o lv_name "$snapshot" >/dev/null 2>&1; then
      appear "$3"
      prove "$3" "$4"
      wanted=$(lvs --noheadings -o lv_uuid -S "$5" "$origin") || exit
      [ -n "$wanted" ] || explain "$origin"
      said=$(lvconvert -y --merge -i 2 "$snapshot" 2>&1) || fail 1 "$said"
    fi
    ;;
esac
while :; do
  attributes=$(lvs --noheadings -o lv_attr "$origin") || exit
  case $attributes in *O?????????) ;; *) break ;; esac
  # Put off because something had the origin open for a moment.
  case $(dmsetup table "$1") in
    *snapshot-merge*) ;;
    *) lvchange --refresh "$origin" && lvchange --poll y "$origin" || exit ;;
  esac >/dev/null
  printf 'merging\n'
  sleep 1
done
sync -- "$1"
`;

/**
 * `MIB_PER_SECOND DEVICE UUID SOURCE SOURCE_UUID sparse|whole keep|clear SELECTION`, which must hold for the device. Sparse leaves out zeros, for a device that
 * reads as zeros already; otherwise what is beyond the source is cleared.
 *
 * With `clear` the source is a copy-on-write snapshot that is not needed afterwards: what its space holds is cleared as
 * well. It is made a plain logical volume for that, which also tells a later start that the copy is complete.
 */
export const copyJobScript = `${startJob}
appear "$2"
appear "$4"
prove "$4" "$5"
attributes=$(lvs --noheadings -o lv_attr "\${4#/dev/}") || exit
case $7$attributes in
  clear*[sS]?????????|keep*)
    exec 3<>"$2" 4<"$4" || exit 1
    prove "$2" "$3"
    wanted "$2" "$8"
    total=$(blockdev --getsize64 "$4") || exit
    conversion=; [ "$6" != sparse ] || conversion=,sparse
    at=0 step=268435456
    while [ "$at" -lt "$total" ]; do
      [ $((total - at)) -ge "$step" ] || step=$((total - at))
      copy "$4" "$2" "$at" "$step" "$conversion" || exit 1
      at=$((at + step))
      printf 'copied %s of %s bytes\\n' "$at" "$total"
    done
    [ "$6" = sparse ] || clear "$2" "$total" "$1"
    sync -- "$2" || exit 1
    exec 3>&- 4<&-
    ;;
esac
[ "$7" = clear ] || exit 0
case $attributes in
  *[sS]?????????) lvconvert -y --splitsnapshot "\${4#/dev/}" >/dev/null || exit ;;
esac
prove "$4" "$5"
clear "$4" 0 "$1"
sync -- "$4"
`;
