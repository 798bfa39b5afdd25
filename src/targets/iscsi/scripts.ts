import { commonScript, exitCodes } from "../configfs/common-script.ts";
import { listingFunctions } from "../configfs/listing.ts";

/**
 * What runs on the storage host for LIO. A record, `exports/UUID.iscsi`, has a line each for the IQN, the backstore, the
 * authentication, whose it is, every portal and everybody who has access; `exports/UUID.chap` their user names and passwords.
 */
export const iscsiFunctions = `
lio=$configfs/target

# iscsi_load UUID
iscsi_load() {
  id=$1 record=$exports/$1.iscsi chap=$exports/$1.chap name=breezeblock-$1
  status=absent iqn= kind= path= index= auth= mark= portals= access= written=
  [ -e "$record" ] || return 0
  status=kept
  while read -r key rest; do
    written="$written$key $rest$newline"
    case $key in
      removing) status=removing ;;
      iqn) iqn=$rest ;;
      iblock | fileio) kind=$key path=$rest ;;
      index) index=$rest ;;
      auth) auth=$rest ;;
      mark) mark=$rest ;;
      portal) portals="$portals$rest " ;;
      rw | ro) access="$access$key $rest " ;;
    esac
  done < "$record"
  [ -n "$iqn" ] || fail 1 "the record $record cannot be read"
  iscsi_at "$iqn"
}

# iscsi_at IQN
iscsi_at() { iqn=$1 target=$lio/iscsi/$1 tpg=$lio/iscsi/$1/tpgt_1; }

iscsi_save() {
  text=
  [ "$status" != removing ] || text="removing yes$newline"
  text="\${text}iqn $iqn$newline$kind $path\${newline}index $index\${newline}auth $auth$newline"
  [ -z "$mark" ] || text="\${text}mark $mark$newline"
  for portal in $portals; do text="\${text}portal $portal$newline"; done
  set -- $access
  while [ $# -gt 1 ]; do
    text="$text$1 $2$newline"
    shift 2
  done
  [ "$text" = "$written" ] || replace "$record" "$text"
  written=$text
}

iscsi_find_store() {
  store=
  for candidate in "$lio"/core/iblock_*/"$name" "$lio"/core/fileio_*/"$name"; do
    [ ! -d "$candidate" ] || store=$candidate
  done
}

# Without a record, what is there is ours only where it exports nothing but this volume's own data under its own id, as
# when another program saved it and set it up again.
iscsi_is_own() {
  [ "$status" = absent ] || return 0
  for link in "$target"/tpgt_*/lun/lun_*/*; do
    [ ! -L "$link" ] || case $(readlink -- "$link") in */"$name") ;; *) return 1 ;; esac
  done
  iscsi_find_store
  [ -n "$store" ] || return 0
  get "$store/udev_path"
  [ "$got" = "$1" ]
}

# iscsi_drop_acl DIRECTORY: its sessions end with it.
iscsi_drop_acl() {
  for mapped in "$1"/lun_*; do
    [ -d "$mapped" ] || continue
    for link in "$mapped"/*; do
      [ ! -L "$link" ] || rm -- "$link" || exit 1
    done
    rmdir -- "$mapped" || exit 1
  done
  rmdir -- "$1" || exit 1
}

# Access that is not on record goes, whoever gave it.
iscsi_prune() {
  for acl in "$tpg"/acls/*; do
    [ -d "$acl" ] || continue
    has "\${acl##*/}" "$access" || iscsi_drop_acl "$acl"
  done
}

iscsi_drop_lun() {
  for link in "$tpg"/lun/lun_0/*; do
    [ ! -L "$link" ] || rm -- "$link" || exit 1
  done
}

iscsi_drop_store() {
  rmdir -- "$store" || exit 1
  rmdir -- "\${store%/*}" 2>/dev/null
  store=
}

# Whether the backstore, which holds its device open, has the device that the path means now.
iscsi_store_fits() {
  case \${store%/*} in */"$kind"_*) ;; *) return 1 ;; esac
  get "$store/enable"
  [ "$got" = 1 ] || return 0
  if [ "$kind" = fileio ]; then
    get "$store/udev_path"
    [ "$got" = "$path" ]
  else
    numbers=$(stat -L -c '0x%t 0x%T' -- "$path") || exit 1
    set -- $numbers
    numbers="Major: $(($1)) Minor: $(($2))"
    while read -r word major label minor rest; do
      [ "$word $major $label $minor" != "$numbers" ] || return 0
    done < "$store/info"
    return 1
  fi
}

iscsi_build_store() {
  case $kind in
    iblock) [ -b "$path" ] || fail 1 "the block device $path is not there" ;;
    fileio) [ -f "$path" ] || fail 1 "the file $path is not there" ;;
  esac
  iscsi_find_store
  if [ -n "$store" ] && ! iscsi_store_fits; then
    keep=$access access=
    iscsi_prune
    access=$keep
    iscsi_drop_lun
    iscsi_drop_store
  fi
  if [ -z "$store" ]; then
    store=$lio/core/"$kind"_$index/$name
    mkdir -p -- "$store" || exit 1
  fi
  get "$store/enable"
  if [ "$got" != 1 ]; then
    case $kind in
      iblock) put "udev_path=$path" "$store/control" ;;
      # Not buffered: what a consumer was told is written is on the disk.
      fileio) put "fd_dev_name=$path,fd_dev_size=$(stat -L -c %s -- "$path")" "$store/control" ;;
    esac || exit 1
    put "$path" "$store/udev_path" && put 1 "$store/enable" || fail 1 "the kernel refuses to open $path for export"
  fi
  get "$store/wwn/vpd_unit_serial"
  case $got in *": $id") ;; *) put "$id" "$store/wwn/vpd_unit_serial" || exit 1 ;; esac
  # Consumers may give space back where the storage can. Only once the device is open: older kernels fall over.
  get "$store/attrib/emulate_tpu"
  [ "$got" != 0 ] || { printf 1 > "$store/attrib/emulate_tpu"; } 2>/dev/null
  if [ "$kind" = fileio ]; then
    size=$(stat -L -c %s -- "$path") || exit 1
    grep -q " Size: $size " "$store/info" || put "fd_dev_size=$size" "$store/control" || exit 1
  fi
}

# iscsi_build_portal ADDRESS:PORT. Where another target listens on the port for every address, ours has to as well.
iscsi_build_portal() {
  [ ! -d "$tpg/np/$1" ] || return 0
  words=$(mkdir -- "$tpg/np/$1" 2>&1) && return 0
  port=\${1##*:}
  for any in "0.0.0.0:$port" "[::0]:$port" "[::]:$port"; do
    for other in "$lio"/iscsi/*/tpgt_*/np/"$any"; do
      [ -d "$other" ] || continue
      portals_used="$portals_used$any "
      [ -d "$tpg/np/$any" ] || mkdir -- "$tpg/np/$any" || exit ${exitCodes.portal}
      return 0
    done
  done
  fail ${exitCodes.portal} "portal $1 cannot be listened on: $words"
}

# A portal that is not wanted any more stays as long as somebody has access: who is logged in there comes back there.
iscsi_build_portals() {
  portals_used=$portals
  for portal in $portals; do iscsi_build_portal "$portal"; done
  [ -z "$access" ] || return 0
  for portal in "$tpg"/np/*; do
    [ ! -d "$portal" ] || has "\${portal##*/}" "$portals_used" || rmdir -- "$portal" || exit 1
  done
}

# iscsi_grant MODE INITIATOR. A new mapping is read-only until told otherwise; credentials come last; without
# any, which is so for who was granted access before CHAP was required, there is no login.
iscsi_grant() {
  acl=$tpg/acls/$2 mapped=$tpg/acls/$2/lun_0 linked=no
  [ -d "$mapped" ] || mkdir -p -- "$mapped" || exit 1
  for link in "$mapped"/*; do [ ! -L "$link" ] || linked=yes; done
  [ "$linked" = yes ] || ln -s -- "$tpg/lun/lun_0" "$mapped/lun" || exit 1
  case $1 in rw) set_to 0 "$mapped/write_protect" ;; *) set_to 1 "$mapped/write_protect" ;; esac || exit 1
  [ "$auth" = chap ] && [ -e "$chap" ] || return 0
  while read -r who user password; do
    [ "$who" = "$2" ] || continue
    { printf %s "$user" > "$acl/auth/userid" && printf %s "$password" > "$acl/auth/password"; } 2>/dev/null ||
      fail 1 "the kernel refuses the CHAP credentials of $2"
    return 0
  done < "$chap"
}

# Makes the kernel's configuration what the record says.
iscsi_build() {
  [ -d "$lio/iscsi" ] || { modprobe iscsi_target_mod && mkdir -p -- "$lio/iscsi"; } || exit 1
  [ -d "$lio/core" ] || exit 1
  case $kind in iblock) module=target_core_iblock ;; fileio) module=target_core_file ;; esac
  [ -d "/sys/module/$module" ] || modprobe "$module" || exit 1
  iscsi_prune
  iscsi_build_store
  mkdir -p -- "$tpg/lun/lun_0" || exit 1
  case $auth in chap) authentication=1 ;; *) authentication=0 ;; esac
  set_to 0 "$tpg/attrib/generate_node_acls" && set_to 1 "$tpg/attrib/prod_mode_write_protect" &&
    set_to "$authentication" "$tpg/attrib/authentication" || exit 1
  linked=no
  for link in "$tpg"/lun/lun_0/*; do [ ! -L "$link" ] || linked=yes; done
  [ "$linked" = yes ] || ln -s -- "$store" "$tpg/lun/lun_0/port" || exit 1
  iscsi_build_portals
  set -- $access
  while [ $# -gt 1 ]; do
    iscsi_grant "$1" "$2"
    shift 2
  done
  set_to 1 "$tpg/enable" || exit 1
}

iscsi_teardown() {
  [ ! -d "$tpg" ] || set_to 0 "$tpg/enable" || exit 1
  access=
  iscsi_prune
  iscsi_drop_lun
  for directory in "$tpg"/lun/lun_* "$tpg"/np/* "$tpg" "$target"; do
    [ ! -d "$directory" ] || rmdir -- "$directory" || exit 1
  done
  iscsi_find_store
  [ -z "$store" ] || iscsi_drop_store
  # Left by a kill right after the backstore went.
  [ -z "$index" ] || rmdir -- "$lio/core/iblock_$index" "$lio/core/fileio_$index" 2>/dev/null
  # Also what a killed replacement left: passwords may be in it.
  rm -f -- "$chap.new" "$chap" "$record.new" "$record" && sync -- "$exports" || exit 1
}

# iscsi_end_revived UUID: an export that has ended, and came back with somebody's saved configuration, as it was then.
iscsi_end_revived() {
  iscsi_load "$1"
  iscsi_find_store
  # The store has our name; what it says of its own volume is proof, whatever the path of the data is.
  get "$store/wwn/vpd_unit_serial"
  case $got in *": $1") ;; *) return 0 ;; esac
  get "$store/udev_path"
  path=$got
  for target in "$lio"/iscsi/*:"$1"; do
    [ -d "$target" ] || continue
    iscsi_at "\${target##*/}"
    iscsi_is_own "$path" || continue
    status=removing kind=iblock
    iscsi_save
    iscsi_teardown
    return
  done
}

# iscsi_restore UUID
iscsi_restore() {
  iscsi_load "$1"
  case $status in kept) iscsi_build ;; removing) iscsi_teardown ;; esac
}
`;

const start = `${commonScript}${iscsiFunctions}`;

/** `UUID IQN KIND PATH INDEX AUTH PORTALS RESTORE SERVICE MARK [MODE INITIATOR]`; stdin with the latter: user name and password. */
export const ensureScript = `${start}
lock -x
iscsi_load "$1"
[ -n "$iqn" ] || iscsi_at "$2"
open_configfs
iscsi_is_own "$4" || fail ${exitCodes.notOwned} "the target $iqn or its backstore exports something else, and was not made by breezeblock"
[ ! -e "$exports/$id.nvmet" ] || fail ${exitCodes.notOwned} "the volume is exported over NVMe/TCP already; its attachments have to be destroyed first"
# An export stays as it was made until somebody is given access anew: those who are logged in have it like that.
[ "$status" = kept ] && [ $# -le 10 ] || auth=$6 portals="$7 "
status=kept kind=$3 path=$4 index=$5 mark=\${10}
if [ $# -gt 10 ]; then
  restore=$8 service=$9 mode=\${11} initiator=\${12} others=
  set -- $access
  while [ $# -gt 1 ]; do
    [ "$2" = "$initiator" ] || others="$others$1 $2 "
    shift 2
  done
  has "$mode $initiator" "$access" || access="$others$mode $initiator "
  if [ "$auth" = chap ]; then
    read -r user password
    lines= known=
    [ ! -e "$chap" ] || while read -r who rest; do
      known="$known$who " lines="$lines$who $rest$newline"
    done < "$chap"
    has "$initiator" "$known" || replace "$chap" "$lines$initiator $user $password$newline"
  fi
else
  restore=$8 service=$9
fi
iscsi_save
install_restore "$restore" "$service"
iscsi_build
printf '%s\\n' "$iqn"
`;

/** `UUID [INITIATOR]`: takes access from one, or from all. */
export const revokeScript = `${start}
lock -x
iscsi_load "$1"
[ "$status" != absent ] || exit 0
revoked=\${2-} all=$#
set -- $access
access=
while [ $# -gt 1 ]; do
  [ "$all" -eq 1 ] || [ "$2" = "$revoked" ] || access="$access$1 $2 "
  shift 2
done
iscsi_save
iscsi_prune
[ -e "$chap" ] || exit 0
lines=
while read -r who rest; do
  [ -z "$who" ] || ! has "$who" "$access" || lines="$lines$who $rest$newline"
done < "$chap"
replace "$chap" "$lines"
`;

/** `UUID IQN PATH` */
export const removeScript = `${start}
lock -x
iscsi_load "$1"
[ -n "$iqn" ] || iscsi_at "$2"
iscsi_is_own "$3" || exit 0
iscsi_find_store
[ "$status" != absent ] || [ -d "$target" ] || [ -n "$store" ] || exit 0
status=removing
iscsi_save
iscsi_teardown
remove_restore
`;

/** `UUID INITIATOR`. Prints user name and password. */
export const credentialsScript = `${commonScript}
while read -r who user password; do
  [ "$who" != "$2" ] || { printf '%s %s\\n' "$user" "$password"; exit 0; }
done < "$exports/$1.chap"
fail ${exitCodes.notExported} "$2 has no credentials on the host"
`;

/** Prints every record, and what the kernel has of it. */
export const listScript = `${commonScript}${listingFunctions}
lock -s
lio=$configfs/target
list_records iscsi
set -- *.iscsi
sed -n -E 's/^(iblock|fileio) //p' -- "$@" | list_devices
set -- $(sed -n "s|^iqn |$lio/iscsi/|p" -- "$@")
for target do
  printf '%s\\0' "$target/tpgt_1/np" "$target/tpgt_1/lun/lun_0" "$target/tpgt_1/acls" "$target"/tpgt_1/acls/*/lun_0
done | list_entries
{
  printf '%s\\0' /sys/dev/block/*/size
  for store in "$lio"/core/*/breezeblock-*; do
    printf '%s\\0' "$store/enable" "$store/info" "$store/wwn/vpd_unit_serial"
  done
  for target do
    printf '%s\\0' "$target/tpgt_1/enable" "$target/tpgt_1/attrib/authentication" \\
      "$target/tpgt_1/attrib/generate_node_acls" "$target"/tpgt_1/acls/*/lun_0/write_protect \\
      "$target"/tpgt_1/acls/*/info
  done
} | list_attributes
exit 0
`;
