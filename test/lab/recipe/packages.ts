/** The Debian release that guests run, whatever this machine runs. */
export const suite = "bookworm";

/** Where newer versions come from than the guests' release has; nothing is taken from there unasked. */
export const backports = "trixie-backports";

/** Debian's name of the guests' architecture: the only one that the lab knows. */
export const architecture = "amd64";

/** What every guest has besides Debian's essential packages, by what it is for. */
export const guestPackages: readonly string[] = [
  ...["systemd", "systemd-sysv", "udev", "dbus", "kmod"],
  ...["iproute2", "iputils-ping", "procps", "psmisc", "passwd", "login", "sudo", "libpam-modules"],
  ...["openssh-server", "openssh-client"],
  ...["mount", "fdisk", "util-linux-extra", "bsdextrautils", "parted", "tar", "gzip", "mawk"],
  ...["lvm2", "thin-provisioning-tools", "e2fsprogs", "xfsprogs", "btrfs-progs", "qemu-utils"],
  ...["targetcli-fb", "python3-rtslib-fb", "nvme-cli", "open-iscsi", "multipath-tools"],
  ...["sg3-utils", "lsscsi"],
];
