import { exitCodes, prelude, usageFunctions } from "../shell.ts";

/** What marks a line of fstab as ours; libmount and systemd pass over options that begin with `x-`. */
export const fstabMark = "x-breezeblock.volume=";

// NAME PATH: the path must still lead to the device that was proven.
const deviceFunctions = `
enter() {
  name=$1 path=$2
  [ -b "/dev/$name" ] || fail 1 "the device /dev/$name is gone"
  [ "$path" -ef "/dev/$name" ] || fail 1 "$path does not lead to /dev/$name any more"
  get "/sys/class/block/$name/dev" && number=$value && get "/sys/class/block/$name/size" && sectors=$value ||
    fail 1 "the device /dev/$name is gone"
}
`;

// What is on the device: prints "type TYPE", "signature WORDS", "data first", "data last", or "zeros". Reading past the
// cache, and an error is never taken for emptiness: blkid does not tell them apart.
const inspectFunctions = `
inspect() {
  mebibytes=$((sectors / 2048))
  for skip in 0 $((mebibytes - 1)); do
    said=$(dd if="$path" of=/dev/null bs=1M count=1 skip="$skip" iflag=direct status=none 2>&1 </dev/null) || fail 1 "$said"
  done
  found=$(blkid -p -o value -s TYPE -- "$path" </dev/null 2>&1)
  case $? in
    0) [ -z "$found" ] || { say "type $found"; return; } ;;
    2) ;;
    *) say "signature several file systems or partition tables"; return ;;
  esac
  found=$(wipefs -n --noheadings -O TYPE -- "$path" </dev/null 2>&1) || fail 1 "$found"
  found=$(printf '%s' "$found" | tr '\\n' ' ')
  [ -z "$found" ] || { say "signature $found"; return; }
  where=first
  for skip in 0 $((mebibytes - 1)); do
    dd if="$path" bs=1M count=1 skip="$skip" iflag=direct status=none </dev/null | cmp -s -n 1048576 - /dev/zero ||
      { say "data $where"; return; }
    where=last
  done
  say zeros
}
`;

/** `NAME PATH`. */
export const inspectScript = `${prelude}${deviceFunctions}${inspectFunctions}
enter "$1" "$2"
inspect
`;

/** `NAME PATH TYPE LABEL MKFS-OPTION…`. What was decided from is looked at again, a moment before it would be lost. */
export const mkfsScript = `${prelude}${usageFunctions}${deviceFunctions}${inspectFunctions}
enter "$1" "$2"
type=$3 label=$4
shift 4
found=$(inspect) || exit 1
[ "$found" = zeros ] || fail 1 "it is not empty any more: $found"
refuse_used "$name"
[ -z "$label" ] || set -- -L "$label" "$@"
# New space needs no discarding.
case $type in
  ext4) set -- -q -E nodiscard "$@" ;;
  xfs) set -- -q -K "$@" ;;
esac
"mkfs.$type" "$@" "$path" </dev/null >/dev/null || exit 1
sync -- "$path"
`;

// MOUNT AND SUPERBLOCK OPTIONS: sets $access_found. The superblock's say what a file system became after I/O errors.
const accessFunction = `
access_of() {
  case ",$1," in *,ro,* | *,emergency_ro,* | *,shutdown,*) access_found=ro ;; *) access_found=rw ;; esac
}
`;

// Lines of fstab that are ours, and writing it with all others as they are.
const fstabFunctions = `${accessFunction}
fstab=/etc/fstab
[ ! -L "$fstab" ] || fstab=$(readlink -f "$fstab")
is_ours() {
  case $1 in \\#*) return 1 ;; esac
  case "$1" in *[[:blank:],]${fstabMark}"$id"[[:blank:],]* | *[[:blank:],]${fstabMark}"$id") return 0 ;; esac
  return 1
}
# ID [LINE]: leaves LINE as the only one of that volume, or none
write_fstab() {
  id=$1
  text= written=no same=yes
  if [ -e "$fstab" ]; then
    while IFS= read -r fstab_line || [ -n "$fstab_line" ]; do
      if is_ours "$fstab_line"; then
        [ "$written" = no ] && [ "$fstab_line" = "\${2-}" ] || { same=no; continue; }
        written=yes
      fi
      text="$text$fstab_line$newline"
    done <"$fstab"
  fi
  if [ -n "\${2-}" ] && [ "$written" = no ]; then
    same=no
    text="$text$2$newline"
  fi
  [ "$same" = no ] || return 0
  if [ -e "$fstab" ]; then cp -a -- "$fstab" "$fstab.breezeblock"; else : >"$fstab.breezeblock" && chmod 644 "$fstab.breezeblock"; fi &&
    printf '%s' "$text" >"$fstab.breezeblock" && sync -- "$fstab.breezeblock" &&
    mv -f -- "$fstab.breezeblock" "$fstab" && sync -- "\${fstab%/*}" || { rm -f -- "$fstab.breezeblock"; exit 1; }
  [ ! -d /run/systemd/system ] || tell_systemd
}
# systemd makes units of the lines. Nothing here needs its answer, which may take seconds.
tell_systemd() {
  busctl --expect-reply=no call org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager \\
    Reload </dev/null >/dev/null 2>&1 || systemctl daemon-reload </dev/null
}
# TEXT: as fstab and mountinfo write it (\\040); sets $decoded
decode() {
  decoded=$1
  case $1 in *\\\\*) decoded=$(printf '%b.' "$1"); decoded=\${decoded%.} ;; esac
}
# ID: sets $points to the mount points of our lines, as fstab writes them, and $line_path to the device of the last
find_lines() {
  id=$1 points= line_path=
  [ -e "$fstab" ] || return 0
  while IFS= read -r fstab_line || [ -n "$fstab_line" ]; do
    is_ours "$fstab_line" || continue
    read -r line_path line_point _ <<EOF
$fstab_line
EOF
    points="$points $line_point"
  done <"$fstab"
}
# ENCODED MOUNT POINT: what is on top there: $top_number, $top_type, $top_access, $top_source; false where nothing is
top_mount() {
  top_number= top_type= top_access= top_source=
  while read -r _ _ mount_number _ mount_at mount_options mount_rest; do
    [ "$mount_at" = "$1" ] || continue
    # Optional fields end with a dash.
    mount_rest="\${mount_rest#*- }"
    access_of "$mount_options,\${mount_rest##* }"
    top_number=$mount_number top_access=$access_found top_type=\${mount_rest%% *}
    mount_rest=\${mount_rest#* }
    top_source=\${mount_rest%% *}
  done </proc/self/mountinfo
  [ -n "$top_number" ]
}
# MOUNT POINT (plain): as mountinfo writes it
encode() {
  encoded=$(printf %s "$1" | sed -e 's/\\\\/\\\\134/g' -e 's/ /\\\\040/g' -e 's/\\t/\\\\011/g')
}
`;

// What keeps a mounted file system from being unmounted. ENCODED MOUNT POINT, NUMBER.
const fileUsers = `
users_of_mount() {
  decode "$1"
  below=$decoded
  while read -r _ _ _ _ point _; do
    case $point in "$1"/*) printf 'mounted below it: %b\\n' "$point" ;; esac
  done </proc/self/mountinfo
  while read -r used _; do
    case $used in "$1"/*) printf 'swap file: %b\\n' "$used" ;; esac
  done </proc/swaps
  for loop in /sys/block/loop*/loop; do
    get "$loop/backing_file" || continue
    case $value in "$below"/*) say "loop device of $value" ;; esac
  done
  mapped=$(printf ' %02x:%02x ' "\${2%%:*}" "\${2##*:}")
  seen=' ' count=0
  for file in $(find /proc/[0-9]*/cwd /proc/[0-9]*/root /proc/[0-9]*/exe /proc/[0-9]*/fd \\
    \\( -lname "$below" -o -lname "$below/*" \\) 2>/dev/null) $(grep -ls "$mapped" /proc/[0-9]*/maps); do
    pid=\${file#/proc/}
    pid=\${pid%%/*}
    case $seen in *" $pid "*) continue ;; esac
    seen="$seen$pid "
    get "/proc/$pid/comm" || continue
    say "$value (process $pid)"
    count=$((count + 1))
    [ "$count" -lt 10 ] || break
  done
}
# DEVICE: lets go of a device whose storage went away while what is unwritten was being written back. Ends with the script,
# however that ends: its name may be another device's afterwards.
watch() {
  trap 'kill "$!"; exit' TERM
  down=0
  while [ "$down" -lt 15 ]; do
    sleep 1 &
    wait "$!"
    kill -0 "$$" || exit
    if is_up "$1"; then down=0; else down=$((down + 1)); fi
  done
  abandon "$1"
}
# ENCODED MOUNT POINT [DEVICE]
unmount_one() {
  top_mount "$1" || return 0
  decode "$1"
  watcher=
  if [ -n "\${2-}" ]; then
    watch "$2" </dev/null >/dev/null 2>&1 &
    watcher=$!
  fi
  said=$(umount -- "$decoded" </dev/null 2>&1)
  code=$?
  if [ -n "$watcher" ]; then
    kill "$watcher" 2>/dev/null
    wait "$watcher"
  fi
  [ "$code" -ne 0 ] && top_mount "$1" || return 0
  used=$(users_of_mount "$1" "$top_number")
  [ -z "$used" ] || fail ${exitCodes.busy} "$decoded is in use by $used"
  case $said in *busy*) fail ${exitCodes.busy} "$said" ;; *) fail 1 "$said" ;; esac
}
`;

// Prints "mount POINT TYPE rw|ro SIZE" for the mounted file system.
const stateFunctions = `
# ENCODED MOUNT POINT
report_mount() {
  top_mount "$1" || fail 1 "nothing is mounted at $1"
  decode "$1"
  blocks=$(stat -f -c '%S %b' -- "$decoded") || exit 1
  say "mount $1 $top_type $top_access $((\${blocks% *} * \${blocks#* }))"
}
`;

/**
 * `ID NAME PATH TYPE ACCESS OWNER MODE OPTIONS MOUNT-POINT LINE`. The line goes into fstab first, so that a mount that a kill
 * leaves behind is known as ours.
 */
export const mountScript = `${prelude}${usageFunctions}${deviceFunctions}${fstabFunctions}${fileUsers}${stateFunctions}
volume=$1
enter "$2" "$3"
type=$4 access=$5 owner=$6 mode=$7 options=$8 mount_point=$9
shift 9
entry=$1
wanted=$number
real=$(readlink -m -- "$mount_point") || exit 1
# The kernel's list of mounts has the place that a link leads to: what is mounted would not be found again.
[ "$real" = "$mount_point" ] ||
  fail ${exitCodes.invalidInput} "$mount_point leads through a symbolic link to $real; write that as the mount point"
encode "$real"
at=$encoded
find_lines "$volume"
encode "$mount_point"
case " $points " in *" $encoded "*) known=yes ;; *) known=no ;; esac
mounted=no
if top_mount "$at"; then
  if [ "$top_number" = "$wanted" ]; then
    mounted=yes
  elif [ "$known" = yes ] && [ ! -e "/sys/dev/block/$top_number" ]; then
    # What was mounted here lost its device, and the volume came back as another.
    umount -l -- "$real" </dev/null || exit 1
  else
    fail ${exitCodes.invalidInput} "$top_source is mounted at $mount_point already"
  fi
fi
if [ "$mounted" = yes ]; then
  # After I/O errors a file system may refuse all access, or writing; a new mount is what repairs that.
  ls -A -- "$real" >/dev/null 2>&1 </dev/null || { unmount_one "$at"; mounted=no; }
  if [ "$mounted" = yes ] && [ "$top_access" != "$access" ]; then
    mount -o "remount,$options" -- "$path" "$real" </dev/null 2>/dev/null || { unmount_one "$at"; mounted=no; }
  elif [ "$mounted" = yes ] && [ "$known" = yes ] && ! grep -qxF -- "$entry" "$fstab" 2>/dev/null; then
    # Other options than before. What cannot take them while it is mounted stays as it is.
    said=$(mount -o "remount,$options" -- "$path" "$real" </dev/null 2>&1) || fail 1 "$said"
  fi
fi
if [ "$mounted" = no ]; then
  if [ -e "$mount_point" ]; then
    [ -d "$mount_point" ] || fail ${exitCodes.invalidInput} "$mount_point is not a directory"
    if [ "$known" = no ]; then
      entries=$(ls -A -- "$mount_point") || exit 1
      [ -z "$entries" ] || fail ${exitCodes.invalidInput} "the directory $mount_point is not empty, and what is in it would be hidden"
    fi
  else
    # Whoever uses it has to get there, and -m is for the last directory alone.
    (umask 022 && mkdir -p -- "$mount_point") || exit 1
  fi
fi
write_fstab "$volume" "$entry"
if [ "$mounted" = no ]; then
  said=$(mount -t "$type" -o "$options" -- "$path" "$mount_point" </dev/null 2>&1) || {
    [ "$known" = yes ] || write_fstab "$volume"
    fail 1 "$said"
  }
fi
if [ "$access" = rw ]; then
  [ -z "$owner" ] || chown -- "$owner" "$real" || exit 1
  [ -z "$mode" ] || chmod -- "$mode" "$real" || exit 1
fi
report_mount "$at"
`;

/** `NAME PATH TYPE ACCESS MOUNT-POINT`. */
export const growScript = `${prelude}${deviceFunctions}${fstabFunctions}${stateFunctions}
enter "$1" "$2"
type=$3 access=$4
real=$(readlink -m -- "$5") || exit 1
encode "$real"
at=$encoded
wanted=$number
top_mount "$at" && [ "$top_number" = "$wanted" ] || fail 1 "the volume is not mounted at $5"
if [ "$access" = rw ]; then
  case $type in
    ext4) said=$(resize2fs "/dev/$name" </dev/null 2>&1) || fail 1 "$said" ;;
    xfs) said=$(xfs_growfs -d "$real" </dev/null 2>&1) || fail 1 "$said" ;;
  esac
fi
report_mount "$at"
`;

/**
 * stdin: `ID NAME` a line, of volumes with a device. Prints our lines of fstab as `line ID POINT TYPE OPTIONS`, and of the
 * devices given `mount ID POINT TYPE rw|ro`, `errors ID COUNT POINT` where ext4 has recorded any, `size BLOCK-SIZE BLOCKS POINT`, and `answers POINT` where the file system lets
 * itself be looked at: one that shut itself down after I/O errors does not.
 */
export const mountsScript = `${prelude}${accessFunction}
fstab=/etc/fstab
if [ -e "$fstab" ]; then
  while read -r device point type options _ || [ -n "\${point-}" ]; do
    case $device in \\#*) continue ;; esac
    case $options in *${fstabMark}*) ;; *) continue ;; esac
    volume=\${options##*${fstabMark}}
    say "line \${volume%%,*} $point $type $options"
  done <"$fstab"
fi
numbers=' '
while read -r volume name; do
  get "/sys/class/block/$name/dev" && numbers="$numbers$value=$volume "
done
set --
while read -r _ _ number root point options rest; do
  case $numbers in *" $number="*) ;; *) continue ;; esac
  [ "$root" = / ] || continue
  volume=\${numbers#* "$number="}
  volume=\${volume%% *}
  rest=\${rest#*- }
  access_of "$options,\${rest##* }"
  say "mount $volume $point \${rest%% *} $access_found"
  name=$(readlink "/sys/dev/block/$number")
  ! get "/sys/fs/ext4/\${name##*/}/errors_count" || [ "$value" = 0 ] || say "errors $volume $value $point"
  case $point in *\\\\*) point=$(printf '%b.' "$point"); point=\${point%.} ;; esac
  set -- "$@" "$point"
done </proc/self/mountinfo
if [ "$#" -gt 0 ]; then
  stat -f -c 'size %S %b %n' -- "$@" </dev/null
  stat -c 'answers %n' -- "$@" </dev/null 2>/dev/null
fi
exit 0
`;

// Paths to the storage side: whether any is up, and how to let go of all of them. NAME of a block device.
const pathFunctions = `
is_up() {
  case $1 in
    dm-*)
      get "/sys/block/$1/dm/uuid" || return 1
      case $value in mpath-*) ;; *) return 0 ;; esac
      for slave in "/sys/block/$1/slaves"/*; do
        [ -e "$slave" ] || continue
        get "$slave/device/state" && [ "$value" = running ] && return
      done
      return 1
      ;;
    sd*) get "/sys/block/$1/device/state" && [ "$value" = running ] ;;
    nvme*)
      get "/sys/block/$1/device/state" && { [ "$value" = live ]; return; }
      for controller in "/sys/block/$1/device"/nvme*; do
        get "$controller/state" && [ "$value" = live ] && return
      done
      return 1
      ;;
    *) return 0 ;;
  esac
}
# What waits for the device fails from now on, instead of waiting.
abandon() {
  case $1 in
    dm-*)
      get "/sys/block/$1/dm/name" || return
      timeout 20 multipathd disablequeueing map "$value" </dev/null >/dev/null 2>&1 ||
        timeout 20 dmsetup message "$value" 0 fail_if_no_path </dev/null >/dev/null 2>&1
      for slave in "/sys/block/$1/slaves"/*; do put 1 "$slave/device/delete"; done
      ;;
    sd*) put 1 "/sys/block/$1/device/delete" ;;
    nvme*)
      put 1 "/sys/block/$1/device/delete_controller"
      for controller in "/sys/block/$1/device"/nvme*; do put 1 "$controller/delete_controller"; done
      ;;
  esac
}
`;

/**
 * `ID NAME abandon|keep`, where NAME is empty when the device is gone, or none that was proven. A device that the storage
 * cannot be reached through takes what is unwritten with it: it is let go of only with `abandon`.
 */
export const unmountScript = `${prelude}${fstabFunctions}${fileUsers}${pathFunctions}
volume=$1 name=$2 unreachable=$3
find_lines "$volume"
ours=
for point in $points; do
  decode "$point"
  real=$(readlink -m -- "$decoded") || exit 1
  encode "$real"
  ours="$ours $encoded"
done
number=
[ -z "$name" ] || { get "/sys/class/block/$name/dev" && number=$value; }
# Others' mounts of the same device, bind mounts among them, are not ours to end.
if [ -n "$number" ]; then
  wanted=$number others=
  while read -r _ _ number _ point _; do
    [ "$number" = "$wanted" ] || continue
    case " $ours " in *" $point "*) ;; *) others="$others$(printf 'mounted at %b' "$point")$newline" ;; esac
  done </proc/self/mountinfo
  [ -z "$others" ] || fail ${exitCodes.busy} "$others"
fi
for at in $ours; do
  # As often as it is mounted there.
  while top_mount "$at"; do
    decode "$at"
    if [ ! -e "/sys/dev/block/$top_number" ]; then
      umount -l -- "$decoded" </dev/null || exit 1
      continue
    fi
    link=$(readlink -f "/sys/dev/block/$top_number")
    device=\${link##*/}
    [ "$device" = "$name" ] || [ "$line_path" -ef "/dev/$device" ] ||
      fail ${exitCodes.invalidInput} "$top_source is mounted at $decoded in place of the volume"
    if is_up "$device" || until_true 100 is_up "$device"; then
      if [ "$unreachable" = abandon ]; then unmount_one "$at" "$device"; else unmount_one "$at"; fi
    elif [ "$unreachable" = keep ]; then
      fail 1 "the storage cannot be reached through the device $device, mounted at $decoded; what is unwritten waits"
    else
      abandon "$device"
      timeout 60 umount -- "$decoded" </dev/null >/dev/null 2>&1 || umount -l -- "$decoded" </dev/null || exit 1
    fi
  done
done
write_fstab "$volume"
`;
