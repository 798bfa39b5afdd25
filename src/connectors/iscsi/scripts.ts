import { installBoot } from "../boot.ts";
import { exitCodes, linkFunctions, prelude, recordFunctions, usageFunctions } from "../shell.ts";

/**
 * What the scripts print of the kernel's state, for `parseFacts`: one line a fact, no blanks inside but in the last word.
 *
 * `session SID STATE PORTAL TARGET`, `disk SID NAME MAJOR:MINOR SECTORS LUN STATE SERIAL`, and for what multipath made of a
 * disk `map DISK NAME MAJOR:MINOR SECTORS UUID`.
 */
const reportFunctions = `
# SID: sets $portal
portal_of() {
  get "/sys/class/iscsi_connection/connection$1:0/persistent_address" && portal=$value &&
    get "/sys/class/iscsi_connection/connection$1:0/persistent_port" || { portal=unknown; return; }
  case $portal in *:*) portal="[$portal]:$value" ;; *) portal=$portal:$value ;; esac
}
# NAME: sets $serial, as the disk itself gave it when it was last scanned (VPD page 0x80 behind its four bytes of header)
serial_of() {
  serial=
  get "/sys/block/$1/device/vpd_pg80" || return
  serial=\${value#??}
}
# DIRECTORY of a session
report_session() {
  get "$1/targetname" || return
  target=$value
  get "$1/state" || return
  state=$value
  sid=\${1##*/session}
  portal_of "$sid"
  say "session $sid $state $portal $target"
  for disk in "$1"/device/target*/*:*/block/*; do
    [ -e "$disk" ] || continue
    lun=\${disk%/block/*}
    lun=\${lun##*:}
    disk=\${disk##*/}
    get "/sys/block/$disk/dev" && number=$value && get "/sys/block/$disk/size" && sectors=$value || continue
    get "/sys/block/$disk/device/state" || value=gone
    state=$value
    serial_of "$disk"
    say "disk $sid $disk $number $sectors $lun $state $serial"
    for map in "/sys/block/$disk/holders"/dm-*; do
      get "$map/dm/uuid" || continue
      case $value in mpath-*) ;; *) continue ;; esac
      uuid=$value
      get "$map/dev" && number=$value && get "$map/size" || continue
      say "map $disk \${map##*/} $number $value $uuid"
    done
  done
}
`;

/** No argument. What this consumer calls itself, and whether its tools are there. */
export const propertiesScript = `${prelude}
lacks() { fail ${exitCodes.invalidConnector} "$1"; }
for tool in iscsiadm udevadm blockdev; do
  command -v "$tool" >/dev/null || lacks "$tool is not installed (package open-iscsi, udev or util-linux)"
done
[ -e /sys/class/iscsi_session ] || modprobe iscsi_tcp </dev/null || lacks 'the kernel module iscsi_tcp cannot be loaded'
names=
if [ -r /etc/iscsi/initiatorname.iscsi ]; then
  while IFS= read -r line || [ -n "$line" ]; do
    case $line in InitiatorName=?*) names=\${line#InitiatorName=} ;; esac
  done </etc/iscsi/initiatorname.iscsi
fi
[ -n "$names" ] || lacks '/etc/iscsi/initiatorname.iscsi names no initiator'
get /proc/sys/kernel/hostname
say "$value"
say "$names"
`;

/** No argument. Records, then the kernel's state, then what the recorded paths stand for. */
export const connectionsScript = `${prelude}${reportFunctions}
paths=
for file in "$records"/*; do
  [ -f "$file" ] || continue
  while read -r key text; do
    say "record \${file##*/} $key $text"
    [ "$key" != path ] || paths="$paths $text"
  done <"$file"
done
for session in /sys/class/iscsi_session/session*; do report_session "$session"; done
[ -z "$paths" ] || stat -L -c 'path %t:%T %n' -- $paths 2>/dev/null
exit 0
`;

// Sessions of $target: $all and $live, by number; $dead are those that have not come back.
const sessionFunctions = `
find_sessions() {
  all= live= dead=
  for session in /sys/class/iscsi_session/session*; do
    get "$session/targetname" && [ "$value" = "$target" ] || continue
    sid=\${session##*/session}
    all="$all $sid"
    if get "$session/state" && [ "$value" = LOGGED_IN ]; then live="$live $sid"; else dead="$dead $sid"; fi
  done
}
is_live() { find_sessions; [ -n "$live" ]; }
is_gone() { find_sessions; [ -z "$all" ]; }
# SID: the disks of that session
disks_of() {
  for disk in /sys/class/iscsi_session/session$1/device/target*/*:*/block/*; do
    [ -e "$disk" ] || continue
    say "\${disk##*/}"
  done
}
# DISK: the kernel name of the multipath device above it, if any
map_above() {
  for map in "/sys/block/$1/holders"/dm-*; do
    get "$map/dm/uuid" || continue
    case $value in mpath-*) say "\${map##*/}"; return ;; esac
  done
}
log_out() {
  for sid; do
    said=$(timeout 40 iscsiadm -m session -r "$sid" --logout </dev/null 2>&1) ||
      [ ! -e "/sys/class/iscsi_session/session$sid" ] || fail 1 "$said"
  done
}
# SID…: takes the disks of these sessions away, then logs out. Refuses where something uses them.
give_up() {
  for sid; do
    for disk in $(disks_of "$sid"); do
      map=$(map_above "$disk")
      refuse_used "$disk" "$map"
      [ -z "$map" ] || refuse_used "$map"
    done
  done
  for sid; do
    for disk in $(disks_of "$sid"); do
      map=$(map_above "$disk")
      [ -z "$map" ] || remove_map "$map"
    done
    case " $live " in *" $sid "*) flush=yes ;; *) flush=no ;; esac
    for disk in $(disks_of "$sid"); do
      [ "$flush" = no ] || timeout 60 blockdev --flushbufs "/dev/$disk" </dev/null || exit 1
      put 1 "/sys/block/$disk/device/delete"
    done
  done
  log_out "$@"
}
# NAME of a multipath device that nothing uses
remove_map() {
  get "/sys/block/$1/dm/name" || return
  map_name=$value
  get "/sys/block/$1/dm/uuid" || return
  map_wwid=\${value#mpath-}
  if [ -n "$live" ]; then timeout 60 blockdev --flushbufs "/dev/$1" </dev/null || exit 1; fi
  # What cannot be written any more must not wait for a path for ever.
  timeout 20 multipathd disablequeueing map "$map_name" </dev/null >/dev/null 2>&1
  said=$(timeout 60 multipath -f "$map_name" </dev/null 2>&1) || [ ! -e "/sys/block/$1/dm" ] || fail 1 "$said"
  timeout 20 multipath -w "$map_wwid" </dev/null >/dev/null 2>&1
}
`;

// Files of open-iscsi's node database that belong to $target; nobody else has a target of that name.
const nodeFunctions = `
node_files() {
  for file in /etc/iscsi/nodes/"$target"/* /etc/iscsi/nodes/"$target"/*/* \\
    /var/lib/iscsi/nodes/"$target"/* /var/lib/iscsi/nodes/"$target"/*/*; do
    [ ! -f "$file" ] || say "$file"
  done
}
# PORTAL: sets $file to its node record; IFS is a newline
node_of() {
  for file in $(node_files); do
    address= port=
    while IFS=' ' read -r key _ text; do
      case $key in
        'node.conn[0].address') address=$text ;;
        'node.conn[0].port') port=$text ;;
      esac
    done <"$file"
    case $address in *:*) address="[$address]" ;; esac
    [ "$address:$port" != "$1" ] || return 0
  done
  return 1
}
# FILE: writes our settings into a node record. The password comes from this shell's memory, through a builtin.
configure_node() {
  text=
  while IFS= read -r line; do
    case $line in
      'node.startup ='* | 'node.conn[0].startup ='* | 'node.leading_login ='* | 'node.session.auth.authmethod ='* | \\
      'node.session.auth.username'* | 'node.session.auth.password'* | 'node.session.nr_sessions ='* | \\
      'node.session.timeo.replacement_timeout ='* | 'node.session.initial_login_retry_max ='* | \\
      'node.session.scan ='* | 'node.conn[0].timeo.login_timeout ='* | \\
      'node.conn[0].timeo.noop_out_'* | '# END RECORD'*) ;;
      *) text="$text$line$newline" ;;
    esac
  done <"$1"
  text="\${text}node.startup = manual
node.conn[0].startup = manual
node.leading_login = No
node.session.nr_sessions = 1
node.session.scan = auto
node.session.timeo.replacement_timeout = $replacement
node.session.initial_login_retry_max = 1
node.conn[0].timeo.login_timeout = 10
node.conn[0].timeo.noop_out_interval = 5
node.conn[0].timeo.noop_out_timeout = 5
"
  if [ -n "$user" ]; then
    text="\${text}node.session.auth.authmethod = CHAP
node.session.auth.username = $user
node.session.auth.password = $password
"
  else
    text="\${text}node.session.auth.authmethod = None
"
  fi
  # Beside the database, on its file system, but not where iscsiadm looks for records.
  half=\${1%%/nodes/*}/.breezeblock-$id
  printf '%s# END RECORD\\n' "$text" >"$half" && sync -- "$half" && mv -f -- "$half" "$1" || {
    rm -f -- "$half"
    exit 1
  }
}
`;

/**
 * `ID TARGET LUN SERIAL MULTIPATH SIZE BY-ID BOOT-UNIT BOOT-SCRIPT PORTAL…`; stdin: user name and password, a line each, empty for none.
 *
 * The record comes first, so that whatever a kill leaves behind is known as ours. Prints the report of `connectionsScript`
 * for this volume.
 */
export const connectScript = `${prelude}${recordFunctions}${usageFunctions}${linkFunctions}${installBoot}${reportFunctions}${sessionFunctions}${nodeFunctions}
id=$1 target=$2 lun=$3 wanted=$4 multipath=$5 size=$6 by_id=$7 unit=$8 script=$9
shift 9
IFS= read -r user
IFS= read -r password
replacement=120
[ "$multipath" = no ] || replacement=10

record_text() {
  say "protocol iSCSI"
  say "target $target"
  say "lun $lun"
  say "serial $wanted"
  say "multipath $multipath"
  for portal; do say "portal $portal"; done
  [ -z "$path" ] || say "path $path"
  [ -z "$wwid" ] || say "wwid $wwid"
}
path= wwid=
if record_of "$id"; then
  [ "$record_protocol" = iSCSI ] && [ "$record_target" = "$target" ] ||
    fail 1 "this consumer is connected to the volume as $record_target by $record_protocol"
  path=$record_path wwid=$record_wwid
fi
keep_record "$id" "$(record_text "$@")$newline"

if [ "$multipath" = yes ]; then
  command -v multipath >/dev/null && command -v multipathd >/dev/null ||
    fail ${exitCodes.notSupported} 'multipath is not installed (package multipath-tools or device-mapper-multipath)'
  timeout 20 multipathd show status </dev/null >/dev/null 2>&1 ||
    fail ${exitCodes.notSupported} 'multipathd does not run or does not answer; start it (systemctl enable --now multipathd), or leave multipath out'
fi
install_boot "$unit" "$script"

# The node records: one a portal. Those of portals that are no more, are deleted.
kept=
for portal; do
  if ! node_of "$portal"; then
    said=$(timeout 60 iscsiadm -m node -o new -T "$target" -p "$portal" </dev/null 2>&1) || fail 1 "$said"
    node_of "$portal" || fail 1 "iscsiadm made no record of $target at $portal"
  fi
  configure_node "$file"
  kept="$kept $file"
done
for file in $(node_files); do
  case "$kept " in *" $file "*) ;; *) rm -f -- "$file" ;; esac
done

# One that is down comes back by itself when the target does. What nothing uses is not waited for long; what is used is
# waited for longer, and only given up when a portal answers and the device fails all I/O already: what is unwritten is
# lost then, and a session that could come back would have. A device that still waits keeps what is unwritten.
answers() {
  for portal; do
    timeout 20 iscsiadm -m discoverydb -t st -p "$portal" -o nonpersistent --discover </dev/null >/dev/null 2>&1
    # 21: it answers, and has nothing for us.
    case $? in 0 | 21) return 0 ;; esac
  done
  return 1
}
# Sets $used to what uses a disk of a dead session, and $waiting to "DISK (STATE)" where that does not fail yet.
find_used() {
  used= waiting=
  for sid in $dead; do
    for disk in $(disks_of "$sid"); do
      map=$(map_above "$disk")
      users=$(users_of "$disk" "$map"; [ -z "$map" ] || users_of "$map")
      [ -n "$users" ] || continue
      used=$users
      get "/sys/block/$disk/device/state"
      case $value in transport-offline | offline) ;; *) waiting="$disk ($value)" ;; esac
    done
  done
}
find_sessions
if [ -n "$all" ] && [ -z "$live" ] && ! until_true 100 is_live; then
  find_used
  if [ -z "$used" ]; then
    give_up $dead
  else
    answers "$@" || fail 1 "no portal answers ($*), and the device is $used"
    if ! until_true 300 is_live; then
      find_used
      [ -z "$waiting" ] || fail 1 "no session is up although a portal answers; the device $waiting is $used, and what is unwritten waits with it"
      for sid in $dead; do
        for disk in $(disks_of "$sid"); do put 1 "/sys/block/$disk/device/delete"; done
      done
      log_out $dead
    fi
  fi
  find_sessions
fi

words= failure=0
for portal; do
  [ -z "$live" ] || [ "$multipath" = yes ] || break
  there=no
  wanted_portal=$portal
  for sid in $all; do
    portal_of "$sid"
    [ "$portal" != "$wanted_portal" ] || there=yes
  done
  [ "$there" = no ] || continue
  said=$(timeout 100 iscsiadm -m node -T "$target" -p "$wanted_portal" --login </dev/null 2>&1 >/dev/null)
  code=$?
  # 15: there is a session already.
  [ "$code" -eq 0 ] || [ "$code" -eq 15 ] || { words="$words$said$newline" failure=$code; }
  find_sessions
  # 24: what the target says to a wrong password, or to an initiator that it does not know.
  [ "$code" -ne 24 ] || break
done
if [ -z "$live" ]; then
  [ "$failure" -ne 24 ] || fail ${exitCodes.loginRefused} "$words"
  fail ${exitCodes.noPortal} "no session to $* could be opened: $words"
fi

# The device of each session, proven by asking it anew.
# SID: sets $disk
disk_of() {
  for disk in /sys/class/iscsi_session/session$1/device/target*/*:"$lun"/block/*; do
    [ -e "$disk" ] && disk=\${disk##*/} && [ -b "/dev/$disk" ] && return
  done
  return 1
}
scan() {
  for host in /sys/class/iscsi_session/session$1/device/../scsi_host/host*; do
    put "- - $lun" "$host/scan"
  done
}
prove() {
  put 1 "/sys/block/$1/device/rescan"
  serial_of "$1"
  [ "$serial" = "$wanted" ]
}
large_enough() {
  get "/sys/block/$1/size" && [ "$((value * 512))" -ge "$size" ]
}
disks=
for sid in $live; do
  if ! until_true 50 disk_of "$sid"; then
    scan "$sid"
    until_true 150 disk_of "$sid" || fail 1 "session $sid to $target shows no LUN $lun"
  fi
  if ! prove "$disk"; then
    # A LUN that was exchanged behind a session: what the kernel knows of the old one is dropped.
    refuse_used "$disk" "$(map_above "$disk")"
    put 1 "/sys/block/$disk/device/delete"
    scan "$sid"
    if ! until_true 150 disk_of "$sid" || ! prove "$disk"; then
      shown=$serial
      give_up $all
      fail 1 "LUN $lun of $target shows the serial number \\"$shown\\" instead of \\"$wanted\\"; it was not used"
    fi
  fi
  until_true 100 large_enough "$disk" || {
    get "/sys/block/$disk/size"
    fail 1 "the device $disk shows $((value * 512)) bytes, less than $size"
  }
  disks="$disks $disk"
done
for disk in $disks; do break; done

if [ "$multipath" = yes ]; then
  map=$(map_above "$disk")
  if [ -z "$map" ]; then
    refuse_used "$disk"
    said=$(timeout 60 multipath -a "/dev/$disk" </dev/null 2>&1) || fail 1 "$said"
  fi
  for disk in $disks; do
    [ -n "$(map_above "$disk")" ] ||
      timeout 60 multipathd add path "$disk" </dev/null >/dev/null 2>&1
  done
  all_mapped() {
    for disk in $disks; do
      map=$(map_above "$disk")
      [ -n "$map" ] || return 1
    done
  }
  until_true 150 all_mapped || fail 1 "multipathd makes no device of $disks; its configuration may exclude them"
  # A map holds what has the same WWID; all of it must be this volume.
  for slave in "/sys/block/$map/slaves"/*; do
    serial_of "\${slave##*/}"
    [ "$serial" = "$wanted" ] || fail 1 "the multipath device $map also holds \${slave##*/} with the serial number \\"$serial\\""
  done
  if ! large_enough "$map"; then
    get "/sys/block/$map/dm/name"
    timeout 60 multipathd resize map "$value" </dev/null >/dev/null 2>&1
    until_true 100 large_enough "$map" || fail 1 "the multipath device $map stays smaller than $size bytes"
  fi
  get "/sys/block/$map/dm/uuid"
  wwid=\${value#mpath-}
fi
# With greedy settings multipathd takes a single path as well; what stands above the disk is what is used.
find_top() {
  map=$(map_above "$disk")
  if [ -n "$map" ]; then find_link "$map" "dm-uuid-mpath-*"; else find_link "$disk" "$by_id" "wwn-*" "scsi-3*" "scsi-*"; fi
}
settled find_top || fail 1 "udev makes no link to /dev/$disk below /dev/disk/by-id"
path=$link
keep_record "$id" "$(record_text "$@")$newline"
while read -r key text; do say "record $id $key $text"; done <"$records/$id"
for sid in $all; do report_session "/sys/class/iscsi_session/session$sid"; done
stat -L -c 'path %t:%T %n' -- "$path"
`;

/** `ID`. Without a record there is nothing of ours. */
export const disconnectScript = `${prelude}${recordFunctions}${installBoot}${usageFunctions}${reportFunctions}${sessionFunctions}${nodeFunctions}
id=$1
record_of "$id" || { forget_record "$id"; remove_boot; exit 0; }
require_protocol iSCSI
target=$record_target
find_sessions
# One that is being restored may come back, and then it can be flushed.
[ -z "$all" ] || [ -n "$live" ] || until_true 50 is_live
find_sessions
give_up $all
until_true 100 is_gone || fail 1 "sessions to $target are still there: $all"
if [ -n "$(node_files)" ]; then
  said=$(timeout 60 iscsiadm -m node -T "$target" -o delete </dev/null 2>&1)
  code=$?
  # 21: there are no records.
  [ "$code" -eq 0 ] || [ "$code" -eq 21 ] || fail 1 "$said"
fi
rm -f -- "/etc/iscsi/.breezeblock-$id" "/var/lib/iscsi/.breezeblock-$id"
[ -z "$record_wwid" ] || ! command -v multipath >/dev/null || timeout 20 multipath -w "$record_wwid" </dev/null >/dev/null 2>&1
udevadm settle --timeout=10 </dev/null >/dev/null 2>&1
forget_record "$id"
remove_boot
`;
