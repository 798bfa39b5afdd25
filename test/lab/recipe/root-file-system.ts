import { randomUUID } from "node:crypto";
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { execute } from "../execute.ts";
import { unpackPackages } from "./debian.ts";
import { guestPackages } from "./packages.ts";

/** What the packages' maintainer scripts would enable, as far as it has to do with storage. */
const enabledUnits = [
  ...["lab-identity.service", "ssh.service", "dbus.socket", "remote-fs.target"],
  ...["blk-availability.service", "dm-event.socket", "lvm2-lvmpolld.socket"],
  ...["iscsid.socket", "open-iscsi.service", "nvmf-autoconnect.service"],
];

/** What would cost time at each boot and tells no test anything. */
const maskedUnits = [
  ...[
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "dpkg-db-backup.timer",
    "e2scrub_all.timer",
    "fstrim.timer",
  ],
  ...["e2scrub_reap.service", "getty@tty1.service", "getty-static.service"],
  ...["systemd-timesyncd.service", "systemd-update-utmp.service", "systemd-update-utmp-runlevel.service"],
  ...["systemd-tmpfiles-clean.timer", "systemd-hwdb-update.service", "systemd-journal-flush.service"],
  ...["ldconfig.service", "systemd-journal-catalog-update.service", "systemd-update-done.service"],
  ...["nvmefc-boot-connections.service", "systemd-binfmt.service", "systemd-pstore.service"],
  ...[
    "systemd-logind.service",
    "lvm2-monitor.service",
    "systemd-ask-password-wall.path",
    "systemd-ask-password-console.path",
  ],
  ...["sys-kernel-debug.mount", "sys-kernel-tracing.mount", "dev-mqueue.mount", "dev-hugepages.mount"],
];

/** Of systemd's generators guests need only the one for fstab; the others make each reload take twice as long. */
const neededGenerators = ["systemd-fstab-generator"];

/**
 * Makes the guests' root file system in the new directory `root`. The packages are unpacked without running
 * their maintainer scripts, which makes it quick; what those would have done and guests need is done here.
 * Gives the public host key that guests show.
 */
export async function makeRootFileSystem(root: string, userKey: string): Promise<{ hostKey: string }> {
  await unpackPackages(root, guestPackages);
  await addAccounts(root);
  await addFiles(root, userKey);
  await execute("chroot", [root, "ldconfig"]);
  await enableUnits(root);
  trimLvm(root);
  // Without this, every targetcli and targetctl would compile Python's library anew.
  await execute("chroot", [
    ...[root, "python3", "-m", "compileall", "-q", "-j2"],
    ...["/usr/lib/python3.11", "/usr/lib/python3/dist-packages"],
  ]);
  return { hostKey: await addHostKey(root) };
}

async function addAccounts(root: string): Promise<void> {
  const etc = join(root, "etc");
  const masters = join(root, "usr/share/base-passwd");
  const root_ = readFileSync(join(masters, "passwd.master"), "utf8").replace(/^root:\*:/m, "root:x:");
  const storage = "storage:x:1000:1000::/home/storage:/bin/bash\n";
  const sshd = "sshd:x:100:65534::/run/sshd:/usr/sbin/nologin\n";
  writeFileSync(join(etc, "passwd"), root_ + storage + sshd);
  copyFileSync(join(masters, "group.master"), join(etc, "group"));
  appendFileSync(join(etc, "group"), "storage:x:1000:\n");
  // `*` is no password that could be entered; `!` would keep keys out too.
  const shadow = ["root", "storage", "sshd"].map((name) => `${name}:*:19000:0:99999:7:::\n`);
  writeFileSync(join(etc, "shadow"), shadow.join(""), { mode: 0o640 });
  await execute("chroot", [root, "systemd-sysusers"]);
  mkdirSync(join(root, "home/storage"), { recursive: true });
  await execute("chroot", [root, "chown", "1000:1000", "/home/storage"]);
}

async function addFiles(root: string, userKey: string): Promise<void> {
  const at = (path: string) => join(root, path);
  const link = (path: string, target: string) => {
    rmSync(at(path), { force: true, recursive: true });
    symlinkSync(target, at(path));
  };
  link("etc/mtab", "/proc/mounts");
  link("var/run", "/run");
  link("var/lock", "/run/lock");
  link("usr/bin/awk", "mawk");
  link("usr/bin/which", "which.debianutils");
  if (!existsSync(at("bin/sh"))) link("bin/sh", "dash");
  for (const directory of ["mnt", "media", "srv", "opt", "root", "var/log", "var/lib/iscsi", "etc/nvme"]) {
    mkdirSync(at(directory), { recursive: true });
  }
  for (const directory of ["var/tmp", "tmp"]) {
    mkdirSync(at(directory), { recursive: true });
    chmodSync(at(directory), 0o1777);
  }
  // What targetcli and targetctl keep: Debian's rtslib names one directory, the kernel another.
  for (const directory of ["etc/rtslib-fb-target/backup", "etc/target", "var/target/alua", "var/target/pr"]) {
    mkdirSync(at(directory), { recursive: true });
  }
  copyFileSync(at("usr/share/openssh/sshd_config"), at("etc/ssh/sshd_config"));
  writeFileSync(at("etc/fstab"), "/dev/ubda / ext4 defaults,noatime 0 0\n");
  writeFileSync(at("etc/machine-id"), `${randomUUID().replaceAll("-", "")}\n`);

  cpSync(fileURLToPath(new URL("files", import.meta.url)), root, { recursive: true });
  writeFileSync(at("etc/ssh/lab_authorized_keys"), userKey, { mode: 0o644 });
  chmodSync(at("etc/sudoers.d/storage"), 0o440);
  chmodSync(at("usr/local/sbin/lab-identity"), 0o755);
}

async function enableUnits(root: string): Promise<void> {
  await execute("chroot", [root, "systemctl", "--quiet", "enable", ...enabledUnits]);
  await execute("chroot", [root, "systemctl", "--quiet", "mask", ...maskedUnits]);
  await execute("chroot", [root, "systemctl", "--quiet", "set-default", "multi-user.target"]);
  const masks = join(root, "etc/systemd/system-generators");
  mkdirSync(masks);
  for (const generator of readdirSync(join(root, "lib/systemd/system-generators"))) {
    if (!neededGenerators.includes(generator)) symlinkSync("/dev/null", join(masks, generator));
  }
}

/** dmeventd would watch every thin pool: nothing that tests look at, and slow. */
function trimLvm(root: string): void {
  const file = join(root, "etc/lvm/lvm.conf");
  const text = readFileSync(file, "utf8");
  writeFileSync(file, text.replace(/^(\s*)#? *monitoring = 1/m, "$1monitoring = 0"));
}

async function addHostKey(root: string): Promise<string> {
  const file = join(root, "etc/ssh/ssh_host_ed25519_key");
  for (const old of [file, `${file}.pub`]) rmSync(old, { force: true });
  mkdirSync(dirname(file), { recursive: true });
  await execute("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", file]);
  return readFileSync(`${file}.pub`, "utf8").trim();
}
