import { installBoot, nvmeBootFunctions } from "../boot.ts";
import { exitCodes, linkFunctions, prelude, recordFunctions, usageFunctions } from "../shell.ts";

/**
 * What the scripts print of the kernel's state, for `parseNvmeConnections`: one line a fact.
 *
 * `controller SUBSYSTEM NAME STATE PORTAL NQN` and `namespace SUBSYSTEM NAME MAJOR:MINOR SECTORS UUID`.
 */
const reportFunctions = `
# DIRECTORY of a controller: sets $portal
portal_of() {
  portal=unknown
  get "$1/address" || return
  address=\${value#*traddr=}
  address=\${address%%,*}
  port=\${value#*trsvcid=}
  port=\${port%%,*}
  case $address in *:*) portal="[$address]:$port" ;; *) portal=$address:$port ;; esac
}
# DIRECTORY of a subsystem: its namespaces' directories, one a device however many paths lead to it
namespaces_of() {
  for namespace in "$1"/nvme*n* "$1"/nvme*/nvme*n*; do
    [ -e "$namespace/dev" ] && [ -e "$namespace/size" ] || continue
    # Behind native multipath each path is a hidden block device of its own.
    get "$namespace/hidden" && [ "$value" = 1 ] && continue
    say "$namespace"
  done
}
# DIRECTORY of a subsystem
report_subsystem() {
  get "$1/subsysnqn" || return
  nqn=$value
  subsystem=\${1##*/}
  for controller in "$1"/nvme*; do
    get "$controller/state" || continue
    state=$value
    portal_of "$controller"
    say "controller $subsystem \${controller##*/} $state $portal $nqn"
  done
  for namespace in "$1"/nvme*n* "$1"/nvme*/nvme*n*; do
    get "$namespace/hidden" && [ "$value" = 0 ] || continue
    get "$namespace/dev" && number=$value && get "$namespace/size" && sectors=$value || continue
    get "$namespace/uuid" || value=
    say "namespace $subsystem \${namespace##*/} $number $sectors $value"
  done
}
`;

/** No argument. What this consumer calls itself, and whether its tools are there. */
export const nvmePropertiesScript = `${prelude}
lacks() { fail ${exitCodes.invalidConnector} "$1"; }
for tool in nvme udevadm blockdev; do
  command -v "$tool" >/dev/null || lacks "$tool is not installed (package nvme-cli, udev or util-linux)"
done
[ -d /sys/module/nvme_tcp ] || modprobe nvme_tcp </dev/null || lacks 'the kernel module nvme_tcp cannot be loaded'
get /etc/nvme/hostnqn && [ -n "$value" ] ||
  lacks '/etc/nvme/hostnqn names no host; "nvme gen-hostnqn > /etc/nvme/hostnqn" makes one'
nqn=$value
get /proc/sys/kernel/hostname
say "$value"
say "$nqn"
`;

/** No argument. Records, then the kernel's state, then what the recorded paths stand for. */
export const nvmeConnectionsScript = `${prelude}${reportFunctions}
paths=
for file in "$records"/*; do
  [ -f "$file" ] || continue
  while read -r key text; do
    say "record \${file##*/} $key $text"
    [ "$key" != path ] || paths="$paths $text"
  done <"$file"
done
for subsystem in /sys/class/nvme-subsystem/nvme-subsys*; do report_subsystem "$subsystem"; done
[ -z "$paths" ] || stat -L -c 'path %t:%T %n' -- $paths 2>/dev/null
exit 0
`;

// The subsystem of $target, its controllers ($all, $live by name) and its namespaces ($disks).
const subsystemFunctions = `
find_controllers() {
  directory= all= live=
  for subsystem in /sys/class/nvme-subsystem/nvme-subsys*; do
    get "$subsystem/subsysnqn" && [ "$value" = "$target" ] || continue
    directory=$subsystem
    for controller in "$subsystem"/nvme*; do
      get "$controller/state" || continue
      all="$all \${controller##*/}"
      [ "$value" != live ] || live="$live \${controller##*/}"
    done
  done
}
is_live() { find_controllers; [ -n "$live" ]; }
is_gone() { find_controllers; [ -z "$all" ]; }
disks() {
  [ -z "$directory" ] || for namespace in $(namespaces_of "$directory"); do say "\${namespace##*/}"; done
}
# Refuses where something uses a namespace; then flushes, and removes all controllers of the target.
give_up() {
  for disk in $(disks); do refuse_used "$disk"; done
  if [ -n "$live" ]; then
    for disk in $(disks); do timeout 60 blockdev --flushbufs "/dev/$disk" </dev/null || exit 1; done
  fi
  [ -z "$all" ] || said=$(timeout 60 nvme disconnect -n "$target" </dev/null 2>&1) || is_gone || fail 1 "$said"
  until_true 100 is_gone || fail 1 "controllers of $target are still there:$all"
}
`;

/**
 * `ID TARGET UUID MULTIPATH SIZE BY-ID BOOT-UNIT BOOT-SCRIPT PORTAL…`. The record comes first, so that whatever a kill
 * leaves behind is known as ours. Prints the report of `nvmeConnectionsScript` for this volume.
 */
export const nvmeConnectScript = `${prelude}${recordFunctions}${usageFunctions}${linkFunctions}${installBoot}${nvmeBootFunctions}${reportFunctions}${subsystemFunctions}
id=$1 target=$2 wanted=$3 multipath=$4 size=$5 by_id=$6 unit=$7 script=$8
shift 8

record_text() {
  say "protocol nvmet_tcp"
  say "target $target"
  say "serial $wanted"
  say "multipath $multipath"
  for portal; do say "portal $portal"; done
  [ -z "$path" ] || say "path $path"
}
path=
if record_of "$id"; then
  [ "$record_protocol" = nvmet_tcp ] && [ "$record_target" = "$target" ] ||
    fail 1 "this consumer is connected to the volume as $record_target by $record_protocol"
  path=$record_path
fi
[ -d /sys/module/nvme_tcp ] || modprobe nvme_tcp </dev/null || fail ${exitCodes.notSupported} 'the kernel module nvme_tcp cannot be loaded'
if [ "$multipath" = yes ]; then
  get /sys/module/nvme_core/parameters/multipath && [ "$value" = Y ] ||
    fail ${exitCodes.notSupported} "native NVMe multipath is off in this kernel (nvme_core.multipath)"
fi
keep_record "$id" "$(record_text "$@")$newline"
install_boot "$unit" "$script"

# What is down comes back by itself when the target does. What nothing uses is not waited for long; what is used is
# waited for longer, and never given up: what is unwritten waits with it.
find_controllers
if [ -n "$all" ] && [ -z "$live" ] && ! until_true 100 is_live; then
  for disk in $(disks); do
    used=$(users_of "$disk")
    [ -z "$used" ] || until_true 300 is_live || fail 1 "no controller is live, and its device $disk is $used"
  done
  [ -n "$live" ] || give_up
fi

words=
for portal; do
  [ -z "$live" ] || [ "$multipath" = yes ] || break
  there=no
  wanted_portal=$portal
  for controller in $all; do
    portal_of "/sys/class/nvme/$controller"
    [ "$portal" != "$wanted_portal" ] || there=yes
  done
  [ "$there" = no ] || continue
  if said=$(nvme_connect "$target" "$wanted_portal" 2>&1); then until_true 20 is_live; else find_controllers; fi
  words="$words$wanted_portal: $said$newline"
done
# An I/O error is all that is told of a target that does not know this host; the kernel's log says more.
[ -n "$live" ] || case $words in
  *'Input/output error'*) fail ${exitCodes.loginRefused} "$words" ;;
  *) fail ${exitCodes.noPortal} "$words" ;;
esac

# The namespace, proven by asking the target anew.
rescan() {
  for controller in $live; do put 1 "/sys/class/nvme/$controller/rescan_controller"; done
}
find_disk() {
  for namespace in $(namespaces_of "$directory"); do
    disk=\${namespace##*/}
    shown=unknown
    get "$namespace/uuid" || continue
    shown=$value
    [ "$shown" = "$wanted" ] && [ -b "/dev/$disk" ] && return
  done
  return 1
}
large_enough() {
  get "/sys/block/$disk/size" && [ "$((value * 512))" -ge "$size" ]
}
disk= shown=
rescan
if ! until_true 50 find_disk; then
  rescan
  until_true 50 find_disk || {
    [ -n "$disk" ] || fail 1 "$target shows no namespace"
    give_up
    fail 1 "$disk of $target shows the UUID \\"$shown\\" instead of \\"$wanted\\"; it was not used"
  }
fi
if ! until_true 50 large_enough; then
  rescan
  until_true 100 large_enough || {
    get "/sys/block/$disk/size"
    fail 1 "the device $disk shows $((value * 512)) bytes, less than $size"
  }
fi
settled find_link "$disk" "$by_id" "nvme-uuid.$wanted" "nvme-*" ||
  fail 1 "udev makes no link to /dev/$disk below /dev/disk/by-id"
path=$link
keep_record "$id" "$(record_text "$@")$newline"
while read -r key text; do say "record $id $key $text"; done <"$records/$id"
report_subsystem "$directory"
stat -L -c 'path %t:%T %n' -- "$path"
`;

/** `ID`. Without a record there is nothing of ours. */
export const nvmeDisconnectScript = `${prelude}${recordFunctions}${installBoot}${usageFunctions}${reportFunctions}${subsystemFunctions}
id=$1
record_of "$id" || { forget_record "$id"; remove_boot; exit 0; }
require_protocol nvmet_tcp
target=$record_target
find_controllers
# One that is being restored may come back, and then it can be flushed.
[ -z "$all" ] || [ -n "$live" ] || until_true 50 is_live
give_up
udevadm settle --timeout=10 </dev/null >/dev/null 2>&1
forget_record "$id"
remove_boot
`;
