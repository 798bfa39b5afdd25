import { installBoot } from "../boot.ts";
import { linkFunctions, prelude, recordFunctions, usageFunctions } from "../shell.ts";

/** No argument. */
export const localPropertiesScript = `${prelude}
get /proc/sys/kernel/hostname && say "$value"
`;

// `file ID SIZE PATH` or `device ID NAME MAJOR:MINOR SECTORS LINK-OR-PATH`, of what a record's target is now.
const reportFunctions = `
# ID TARGET PATH
report_target() {
  if [ -b "$2" ]; then
    real=$(readlink -f -- "$2") && get "/sys/class/block/\${real##*/}/size" || return
    say "device $1 \${real##*/} $value $3"
  elif [ -f "$2" ]; then
    say "file $1 $(stat -c %s -- "$2") $2"
  fi
}
`;

/** No argument. */
export const localConnectionsScript = `${prelude}${recordFunctions}${reportFunctions}
for file in "$records"/*; do
  [ -f "$file" ] || continue
  record_of "\${file##*/}"
  [ "$record_protocol" = local ] || continue
  while read -r key text; do say "record \${file##*/} $key $text"; done <"$file"
  report_target "\${file##*/}" "$record_target" "$record_path"
done
exit 0
`;

/** `ID PATH SIZE`. */
export const localConnectScript = `${prelude}${recordFunctions}${linkFunctions}${reportFunctions}
id=$1 target=$2 size=$3
if record_of "$id"; then
  [ "$record_protocol" = local ] && [ "$record_target" = "$target" ] ||
    fail 1 "this consumer is connected to the volume as $record_target by $record_protocol"
fi
path=$target
if [ -b "$target" ]; then
  real=$(readlink -f -- "$target") || exit 1
  get "/sys/class/block/\${real##*/}/size" || fail 1 "the device $real is gone"
  bytes=$((value * 512))
  settled find_link "\${real##*/}" "dm-uuid-LVM-*" "dm-uuid-*" "nvme-*" "wwn-*" "scsi-*" "virtio-*" && path=$link
elif [ -f "$target" ]; then
  bytes=$(stat -c %s -- "$target") || exit 1
  # What a qcow2 file holds is not its size.
  case $target in *.qcow2) bytes=$size ;; esac
else
  fail 1 "$target is neither a block device nor a file on this host; is it the host of the backend?"
fi
[ "$bytes" -ge "$size" ] || fail 1 "$target shows $bytes bytes, less than $size"
keep_record "$id" "protocol local$newline""target $target$newline""path $path$newline"
while read -r key text; do say "record $id $key $text"; done <"$records/$id"
report_target "$id" "$target" "$path"
`;

/** `ID`. Without a record there is nothing of ours. */
export const localDisconnectScript = `${prelude}${recordFunctions}${usageFunctions}${installBoot}
id=$1
record_of "$id" || { forget_record "$id"; remove_boot; exit 0; }
require_protocol local
if [ -b "$record_target" ]; then
  real=$(readlink -f -- "$record_target") || exit 1
  refuse_used "\${real##*/}"
  timeout 60 blockdev --flushbufs "$real" </dev/null || exit 1
fi
forget_record "$id"
remove_boot
`;
