import { prelude, recordDirectory, recordFunctions } from "./shell.ts";

/**
 * What connects a consumer again when it boots: a systemd service of ours that goes through the records. It tries until
 * it has them all, because after a power failure the storage host may well come up last; the mounts wait for their devices
 * by themselves once remote-fs.target asks for them, and nothing else waits for it. No service of the distribution is enabled or changed.
 *
 * Where systemd does not run, nothing is installed.
 */

const unitName = "breezeblock-connections.service";
const unitDirectory = "/etc/systemd/system";
const wantedBy = "multi-user.target";
const bootScriptFile = "/etc/breezeblock/connect";

export const bootUnit = `[Unit]
Description=Connect the block storage volumes recorded in ${recordDirectory}
Wants=network-online.target remote-fs.target
After=network-online.target iscsid.socket
ConditionDirectoryNotEmpty=${recordDirectory}
StartLimitIntervalSec=0

[Service]
Type=oneshot
ExecStart=/bin/sh -c '[ ! -f ${bootScriptFile} ] || exec /bin/sh ${bootScriptFile}'
Restart=on-failure
RestartSec=10
TimeoutStartSec=infinity

[Install]
WantedBy=${wantedBy}
`;

/** `nvme_connect NQN PORTAL`: one controller, that reconnects for as long as it is wanted. */
export const nvmeBootFunctions = `
nvme_connect() {
  address=\${2%:*}
  case $address in '['*) address=\${address#?} address=\${address%?} ;; esac
  get /etc/nvme/hostnqn || return 1
  set -- "$1" "\${2##*:}" --hostnqn="$value"
  ! get /etc/nvme/hostid || [ -z "$value" ] || set -- "$@" --hostid="$value"
  nqn=$1 port=$2
  shift 2
  timeout 30 nvme connect -t tcp -n "$nqn" -a "$address" -s "$port" "$@" --ctrl-loss-tmo=-1 --reconnect-delay=5 </dev/null ||
    return
  # What waits for a path fails after two minutes without any, as it does with iSCSI.
  for controller in /sys/class/nvme/nvme*; do
    get "$controller/subsysnqn" && [ "$value" = "$nqn" ] && put 120 "$controller/fast_io_fail_tmo"
  done
  return 0
}
`;

/** The boot service's script. Ends with 1 while a volume has no live session or controller. */
export const bootScript = `${prelude}${recordFunctions}${nvmeBootFunctions}
export PATH="$PATH:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
# PROTOCOL TARGET
is_live() {
  if [ "$1" = iSCSI ]; then
    for session in /sys/class/iscsi_session/session*; do
      get "$session/targetname" && [ "$value" = "$2" ] && get "$session/state" && [ "$value" = LOGGED_IN ] && return
    done
  else
    for controller in /sys/class/nvme/nvme*; do
      get "$controller/subsysnqn" && [ "$value" = "$2" ] && get "$controller/state" && [ "$value" = live ] && return
    done
  fi
  return 1
}
# ID: the first portal that answers, or all of them with multipath
connect() {
  for portal in $record_portals; do
    [ "$record_multipath" = yes ] || ! is_live "$record_protocol" "$record_target" || break
    # Disconnected meanwhile.
    [ -f "$records/$1" ] || return 0
    case $record_protocol in
      iSCSI) timeout 60 iscsiadm -m node -T "$record_target" -p "$portal" --login </dev/null ;;
      nvmet_tcp) nvme_connect "$record_target" "$portal" ;;
    esac
  done
  is_live "$record_protocol" "$record_target"
}
complete=yes
connect_all() {
  started=
  for file in "$records"/*; do
    id=\${file##*/}
    record_of "$id" || continue
    case $record_protocol in iSCSI | nvmet_tcp) ;; *) continue ;; esac
    [ "$record_multipath" = no ] && is_live "$record_protocol" "$record_target" && continue
    connect "$id" &
    started="$started $!"
    # Not more than a handful at once.
    case $started in *' '*' '*' '*' '*' '*' '*' '*) wait_for $started; started= ;; esac
  done
  wait_for $started
}
wait_for() { for pid; do wait "$pid" || complete=no; done; }
modprobe -q iscsi_tcp
modprobe -q nvme_tcp
connect_all
[ "$complete" = yes ]
`;

/**
 * `install_boot UNIT SCRIPT` writes both where they differ, and enables the unit; `remove_boot` when no record is left.
 *
 * systemd is not told: the unit concerns the next boot, which reads all of them, and a reload takes seconds on a small
 * machine. Links are what enabling a service comes to. A service that is still trying finds no script, and ends.
 */
export const installBoot = `
boot_unit=${unitDirectory}/${unitName} boot_link=${unitDirectory}/${wantedBy}.wants/${unitName}
# FILE TEXT MODE
renew() {
  [ ! -f "$1" ] || [ "$(cat -- "$1")$newline" != "$2" ] || return 0
  printf '%s' "$2" >"$1.breezeblock" && chmod "$3" "$1.breezeblock" && sync -- "$1.breezeblock" &&
    mv -f -- "$1.breezeblock" "$1" || exit 1
}
install_boot() {
  [ -d /run/systemd/system ] || return 0
  renew ${bootScriptFile} "$2" 600
  renew "$boot_unit" "$1" 644
  [ ! -L "$boot_link" ] || return 0
  [ -d "\${boot_link%/*}" ] || mkdir -m 755 -- "\${boot_link%/*}" || exit 1
  ln -sfn -- "$boot_unit" "$boot_link" || exit 1
}
remove_boot() {
  for file in "$records"/*; do [ ! -f "$file" ] || return 0; done
  rm -f -- "$boot_link" "$boot_unit" ${bootScriptFile} || exit 1
  rmdir -- "\${boot_link%/*}" "$records" /etc/breezeblock 2>/dev/null
  return 0
}
`;
