/**
 * Shell functions that the scripts of both kernel targets share. POSIX sh, GNU coreutils and util-linux.
 *
 * An export is first written down in a record, then the kernel's configuration is made what the record says. A run that
 * is killed anywhere leaves a record from which the next call, or the next boot, makes it whole. All of it happens under
 * one lock a host, because backends share the kernel's portals and ports.
 */

/** Exit codes with a meaning of their own; every other failure is 1 or the tool's. */
export const exitCodes = {
  /** What is there under our name was not made by breezeblock. Nothing was touched. */
  notOwned: 20,
  /** A portal cannot be listened on. */
  portal: 21,
  /** There is no export where one is needed. */
  notExported: 22,
} as const;

/** Where records are. Root-only, because CHAP passwords stand beside them. */
export const stateDirectory = "/var/lib/breezeblock";

/** Run at boot by `serviceFile`, and by hand where there is no systemd. */
export const restoreFile = `${stateDirectory}/restore-exports`;
const serviceName = "breezeblock-exports.service";
const unitDirectory = "/etc/systemd/system";
const serviceFile = `${unitDirectory}/${serviceName}`;

/** What starts the service: the boot, and whatever restores other people's targets. */
const wantedBy = ["multi-user.target", "rtslib-fb-targetctl.service", "target.service", "nvmet.service"];

/** What is known of this boot only: the ports and hosts that breezeblock made for nvmet. */
const bootDirectory = "/run/breezeblock";

export const commonScript = `set -u
umask 077
state=${stateDirectory} exports=${stateDirectory}/exports boot=${bootDirectory}
configfs=/sys/kernel/config
newline='
'

fail() { printf '%s\\n' "$2" >&2; exit "$1"; }

# put VALUE FILE. The second try, by a program, is for its words: the shell itself says only "I/O error".
put() { { printf %s "$1" > "$2"; } 2>/dev/null || env printf %s "$1" > "$2"; }

# get FILE: its first line, in $got; empty where it cannot be read.
get() { got=; { IFS= read -r got < "$1"; } 2>/dev/null; return 0; }

# set_to VALUE FILE. Some attributes refuse to be written while in use, even with the value that they have.
set_to() { get "$2"; [ "$got" = "$1" ] || put "$1" "$2"; }

# lock -x|-s
lock() {
  [ -d "$exports" ] || mkdir -p -- "$exports" || exit 1
  exec 8>> "$state/exports.lock" || exit 1
  flock "$1" -w 60 8 || fail 1 "the lock $state/exports.lock is held by another process"
}

# has WORD LIST, the list with a blank after each word
has() { case " $2" in *" $1 "*) return 0 ;; esac; return 1; }

open_configfs() {
  [ -d "$configfs" ] || modprobe configfs || exit 1
  grep -q " $configfs configfs " /proc/mounts || mount -t configfs configfs "$configfs" || exit 1
}

# replace FILE TEXT: it holds the old or the new text at any time, also after a power cut.
replace() {
  printf %s "$2" > "$1.new" && sync -- "$1.new" && mv -f -- "$1.new" "$1" && sync -- "\${1%/*}" && return 0
  rm -f -- "$1.new"
  fail 1 "$1 could not be written"
}

# Without waiting for it: nothing here needs systemd's answer, which may take seconds.
reload_units() {
  busctl --expect-reply=no call org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager \\
    Reload 2>/dev/null || systemctl daemon-reload
}

# install_restore RESTORE SERVICE: what makes the exports again at boot. Links are what enabling a service comes to.
install_restore() {
  [ "$(cat ${restoreFile} 2>/dev/null)$newline" = "$1" ] || replace ${restoreFile} "$1"
  [ -d /run/systemd/system ] || return 0
  [ "$(cat ${serviceFile} 2>/dev/null)$newline" != "$2" ] || return 0
  for unit in ${wantedBy.join(" ")}; do
    [ -d "${unitDirectory}/$unit.wants" ] || mkdir -m 755 -- "${unitDirectory}/$unit.wants" || exit 1
    ln -sfn -- ${serviceFile} "${unitDirectory}/$unit.wants/${serviceName}" || exit 1
  done
  # The file comes last: it is what says that the rest is there.
  replace ${serviceFile} "$2"
  chmod 644 ${serviceFile}
  reload_units
}

remove_restore() {
  for kept in "$exports"/*.iscsi "$exports"/*.nvmet; do
    [ ! -e "$kept" ] || return 0
  done
  [ -e ${restoreFile} ] || return 0
  for unit in ${wantedBy.join(" ")}; do
    rm -f -- "${unitDirectory}/$unit.wants/${serviceName}" || exit 1
    rmdir -- "${unitDirectory}/$unit.wants" 2>/dev/null
  done
  rm -f -- ${serviceFile} && rm -f -- ${restoreFile} || exit 1
  [ ! -d /run/systemd/system ] || reload_units
}
`;

/**
 * Ordered after what restores other people's targets, because that may clear the whole configuration first, and started
 * again with it. What is missing at boot (a device, an address) may come later: it is tried for five minutes.
 */
export const serviceText = `[Unit]
Description=Exports of breezeblock volumes
After=local-fs.target lvm2-monitor.service zfs.target network-online.target
After=rtslib-fb-targetctl.service target.service nvmet.service
PartOf=rtslib-fb-targetctl.service target.service nvmet.service
Wants=network-online.target
StartLimitIntervalSec=600
StartLimitBurst=30

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh ${restoreFile}
Restart=on-failure
RestartSec=10

[Install]
WantedBy=${wantedBy.join(" ")}
`;
