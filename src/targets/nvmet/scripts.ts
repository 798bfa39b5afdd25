import { commonScript, exitCodes } from "../configfs/common-script.ts";
import { listingFunctions } from "../configfs/listing.ts";

/** Port numbers below are left to other people, whose saved configurations name theirs 1, 2, 3. */
const firstPort = 32_768;

/**
 * What runs on the storage host for nvmet. A record, `exports/UUID.nvmet`, has a line each for the NQN, the device, whose it is,
 * every portal and everybody who has access.
 */
export const nvmetFunctions = `
nvmet=$configfs/nvmet

# nvmet_load UUID
nvmet_load() {
  id=$1 record=$exports/$1.nvmet
  status=absent nqn= path= serial= mark= portals= access= revoked= written=
  [ -e "$record" ] || return 0
  status=kept
  while read -r key rest; do
    written="$written$key $rest$newline"
    case $key in
      removing) status=removing ;;
      nqn) nqn=$rest ;;
      device) path=$rest ;;
      serial) serial=$rest ;;
      mark) mark=$rest ;;
      portal) portals="$portals$rest " ;;
      rw) access="$access$rest " ;;
      revoked) revoked="$revoked$rest " ;;
    esac
  done < "$record"
  [ -n "$nqn" ] || fail 1 "the record $record cannot be read"
  nvmet_at "$nqn"
}

# nvmet_at NQN
nvmet_at() { nqn=$1 subsystem=$nvmet/subsystems/$1 namespace=$nvmet/subsystems/$1/namespaces/1; }

nvmet_save() {
  text=
  [ "$status" != removing ] || text="removing yes$newline"
  text="\${text}nqn $nqn\${newline}device $path\${newline}serial $serial$newline"
  [ -z "$mark" ] || text="\${text}mark $mark$newline"
  set -- $portals
  while [ $# -gt 1 ]; do
    text="\${text}portal $1 $2$newline"
    shift 2
  done
  for who in $access; do text="\${text}rw $who$newline"; done
  for who in $revoked; do text="\${text}revoked $who$newline"; done
  [ "$text" = "$written" ] || replace "$record" "$text"
  written=$text
}

# nvmet_is_own PATH. Without a record, what is there is ours only where it exports nothing but this volume's own data.
nvmet_is_own() {
  [ "$status" = absent ] || return 0
  for other in "$subsystem"/namespaces/*; do
    [ -d "$other" ] || continue
    get "$other/device_path"
    [ "$got" = "$1" ] || return 1
  done
}

# The kernel asks who may enter only when a controller is made. Taking the subsystem off its ports ends all controllers.
nvmet_kick() {
  kicked=
  for link in "$nvmet"/ports/*/subsystems/"$nqn"; do
    [ -L "$link" ] || continue
    kicked="$kicked\${link%/subsystems/*} "
    rm -- "$link" || exit 1
  done
}

# nvmet_drop_host NQN: where we made it and no subsystem names it any more.
nvmet_drop_host() {
  [ -e "$boot/nvmet-hosts/$1" ] || return 0
  [ ! -d "$nvmet/hosts/$1" ] || rmdir -- "$nvmet/hosts/$1" 2>/dev/null || return 0
  rm -f -- "$boot/nvmet-hosts/$1"
}

# Access that is not on record goes, whoever gave it.
nvmet_prune() {
  for link in "$subsystem"/allowed_hosts/*; do
    [ -L "$link" ] || continue
    who=\${link##*/}
    has "$who" "$access$revoked" || revoked="$revoked$who "
  done
  [ -n "$revoked" ] || return 0
  # On record until it is done: a controller cannot be seen from here.
  nvmet_save
  for who in $revoked; do
    [ ! -L "$subsystem/allowed_hosts/$who" ] || rm -- "$subsystem/allowed_hosts/$who" || exit 1
  done
  nvmet_kick
  # Who still has access comes back by itself, where the portals can be listened on. Nobody keeps access for that.
  code=0
  if [ -d "$subsystem" ]; then
    # Before ports without subsystems are swept: who is connected at one that is not wanted any more comes back there.
    [ -z "$access" ] || for port in $kicked; do ln -s -- "$subsystem" "$port/subsystems/$nqn" 2>/dev/null; done
    words=$( ( nvmet_build_ports ) 2>&1 ) || code=$?
  fi
  for who in $revoked; do nvmet_drop_host "$who"; done
  revoked=
  nvmet_save
  [ "$code" -eq 0 ] || [ -z "$access" ] || fail "$code" "$words"
}

# Ports that we made and that nobody uses go. Ours are those that are still what we noted when making them.
nvmet_sweep_ports() {
  for note in "$boot"/nvmet-ports/*; do
    [ -e "$note" ] || continue
    port=$nvmet/ports/\${note##*/}
    [ ! -d "$port" ] || {
      get "$note"
      noted=$got
      get "$port/addr_traddr"
      made=$got
      get "$port/addr_trsvcid"
      case "$made $got" in "$noted" | ' ' | "\${noted% *} ") ;; *) rm -f -- "$note"; continue ;; esac
      for link in "$port"/subsystems/*; do [ ! -L "$link" ] || continue 2; done
      rmdir -- "$port" || exit 1
    }
    rm -f -- "$note"
  done
}

# nvmet_find_port ADDRESS SERVICE: the port that listens there, ours or not, else one that listens for every address.
nvmet_find_port() {
  port=
  for candidate in "$nvmet"/ports/*; do
    [ -d "$candidate" ] || continue
    get "$candidate/addr_trtype"
    [ "$got" = tcp ] || continue
    get "$candidate/addr_trsvcid"
    [ "$got" = "$2" ] || continue
    get "$candidate/addr_traddr"
    case $got in
      "$1") port=$candidate; return 0 ;;
      0.0.0.0 | :: | '[::]') port=$candidate ;;
    esac
  done
  [ -n "$port" ]
}

# nvmet_make_port ADDRESS SERVICE
nvmet_make_port() {
  number=${firstPort}
  while [ -e "$nvmet/ports/$number" ]; do number=$((number + 1)); done
  port=$nvmet/ports/$number
  [ -d "$boot/nvmet-ports" ] || mkdir -p -- "$boot/nvmet-ports" || exit 1
  printf '%s\\n' "$1 $2" > "$boot/nvmet-ports/$number" && mkdir -- "$port" || exit 1
  case $1 in *:*) family=ipv6 ;; *) family=ipv4 ;; esac
  put "$1" "$port/addr_traddr" && put "$2" "$port/addr_trsvcid" && put "$family" "$port/addr_adrfam" &&
    put tcp "$port/addr_trtype" || exit 1
}

nvmet_build_ports() {
  used=
  nvmet_sweep_ports
  set -- $portals
  while [ $# -gt 1 ]; do
    nvmet_find_port "$1" "$2" || nvmet_make_port "$1" "$2"
    used="$used$port "
    if [ ! -L "$port/subsystems/$nqn" ]; then
      words=$(ln -s -- "$subsystem" "$port/subsystems/$nqn" 2>&1) || {
        nvmet_sweep_ports
        fail ${exitCodes.portal} "portal $1 port $2 cannot be listened on: $words"
      }
    fi
    shift 2
  done
  # A portal that is not wanted any more stays as long as somebody has access: who is connected there comes back there.
  [ -n "$access" ] || for link in "$nvmet"/ports/*/subsystems/"$nqn"; do
    [ ! -L "$link" ] || has "\${link%/subsystems/*}" "$used" || rm -- "$link" || exit 1
  done
  nvmet_sweep_ports
}

nvmet_build_namespace() {
  [ -b "$path" ] || [ -f "$path" ] || fail 1 "the device $path is not there"
  [ -d "$namespace" ] || mkdir -- "$namespace" || exit 1
  get "$namespace/device_path"
  device=$got
  get "$namespace/device_uuid"
  if [ "$device" != "$path" ] || [ "$got" != "$id" ]; then
    set_to 0 "$namespace/enable" && put "$path" "$namespace/device_path" && put "$id" "$namespace/device_uuid" || exit 1
  fi
  set_to 1 "$namespace/enable" || fail 1 "the kernel refuses to open $path for export"
  [ ! -e "$namespace/revalidate_size" ] || put 1 "$namespace/revalidate_size" || exit 1
}

# nvmet_grant NQN
nvmet_grant() {
  if [ ! -d "$nvmet/hosts/$1" ]; then
    [ -d "$boot/nvmet-hosts" ] || mkdir -p -- "$boot/nvmet-hosts" || exit 1
    : > "$boot/nvmet-hosts/$1" && mkdir -- "$nvmet/hosts/$1" || exit 1
  fi
  [ -L "$subsystem/allowed_hosts/$1" ] || ln -s -- "$nvmet/hosts/$1" "$subsystem/allowed_hosts/$1" || exit 1
}

# Makes the kernel's configuration what the record says.
nvmet_build() {
  [ -d "$nvmet" ] && [ -d /sys/module/nvmet_tcp ] || modprobe nvmet-tcp || exit 1
  [ -d "$subsystem" ] || mkdir -- "$subsystem" || exit 1
  set_to 0 "$subsystem/attr_allow_any_host" && set_to "$serial" "$subsystem/attr_serial" || exit 1
  [ ! -e "$subsystem/attr_model" ] || set_to breezeblock "$subsystem/attr_model" || exit 1
  nvmet_prune
  nvmet_build_namespace
  for who in $access; do nvmet_grant "$who"; done
  nvmet_build_ports
}

nvmet_teardown() {
  nvmet_kick
  access=
  for link in "$subsystem"/allowed_hosts/*; do
    [ -L "$link" ] || continue
    rm -- "$link" || exit 1
    nvmet_drop_host "\${link##*/}"
  done
  for directory in "$subsystem"/namespaces/*; do
    [ -d "$directory" ] || continue
    set_to 0 "$directory/enable" && rmdir -- "$directory" || exit 1
  done
  [ ! -d "$subsystem" ] || rmdir -- "$subsystem" || exit 1
  nvmet_sweep_ports
  rm -f -- "$record" && sync -- "$exports" || exit 1
}

# nvmet_restore UUID
nvmet_restore() {
  nvmet_load "$1"
  case $status in kept) nvmet_build ;; removing) nvmet_teardown ;; esac
}
`;

const start = `${commonScript}${nvmetFunctions}`;

/** `UUID NQN PATH SERIAL PORTALS RESTORE SERVICE MARK [HOST]`, the portals as words: address, port, address, port. */
export const ensureScript = `${start}
lock -x
nvmet_load "$1"
[ -n "$nqn" ] || nvmet_at "$2"
open_configfs
nvmet_is_own "$3" || fail ${exitCodes.notOwned} "the subsystem $nqn exports something else, and was not made by breezeblock"
[ ! -e "$exports/$id.iscsi" ] || fail ${exitCodes.notOwned} "the volume is exported over iSCSI already; its attachments have to be destroyed first"
# An export stays as it was made until somebody is given access anew: those who are connected have it like that.
[ "$status" = kept ] && [ $# -le 8 ] || portals="$5 "
status=kept path=$3 serial=$4 mark=$8
if [ $# -gt 8 ]; then
  has "$9" "$access" || access="$access$9 "
  # One who comes back meanwhile has nothing left to be driven out of.
  pending=$revoked revoked=
  for who in $pending; do [ "$who" = "$9" ] || revoked="$revoked$who "; done
fi
nvmet_save
install_restore "$6" "$7"
nvmet_build
printf '%s\\n' "$nqn"
`;

/** `UUID [HOST]`: takes access from one, or from all. */
export const revokeScript = `${start}
lock -x
nvmet_load "$1"
[ "$status" != absent ] || exit 0
keep=
for who in $access; do
  if [ $# -eq 1 ] || [ "$2" = "$who" ]; then revoked="$revoked$who "; else keep="$keep$who "; fi
done
access=$keep
nvmet_save
nvmet_prune
`;

/** `UUID NQN PATH` */
export const removeScript = `${start}
lock -x
nvmet_load "$1"
[ -n "$nqn" ] || nvmet_at "$2"
nvmet_is_own "$3" || exit 0
[ "$status" != absent ] || [ -d "$subsystem" ] || exit 0
status=removing
nvmet_save
nvmet_teardown
remove_restore
`;

/** Prints every record, and what the kernel has of it. */
export const listScript = `${commonScript}${listingFunctions}
lock -s
nvmet=$configfs/nvmet
list_records nvmet
set -- *.nvmet
sed -n 's/^device //p' -- "$@" | list_devices
set -- $(sed -n "s|^nqn |$nvmet/subsystems/|p" -- "$@")
{
  printf '%s\\0' "$nvmet/ports" "$nvmet"/ports/*/subsystems
  for subsystem do printf '%s\\0' "$subsystem/allowed_hosts"; done
} | list_entries
{
  printf '%s\\0' /sys/dev/block/*/size
  for port in "$nvmet"/ports/*; do
    printf '%s\\0' "$port/addr_trtype" "$port/addr_traddr" "$port/addr_trsvcid"
  done
  for subsystem do
    printf '%s\\0' "$subsystem/attr_allow_any_host" "$subsystem/namespaces/1/enable" \\
      "$subsystem/namespaces/1/device_path" "$subsystem/namespaces/1/device_uuid"
  done
} | list_attributes
# The kernel does not tell who is connected; the ports that somebody has a connection to (state 01), it does.
[ -r /proc/net/tcp ] || exit 0
echo /proc/net/tcp@ | tr @ '\\0'
sed -n -E 's/^ *[0-9]+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F:]+ 01 .*/\\1/p' /proc/net/tcp /proc/net/tcp6 2>/dev/null |
  sort -u | sed 's|^|/proc/net/tcp@|' | tr @ '\\0'
exit 0
`;
