import type { Guest } from "../lab/guest.ts";
import { SshSession } from "./ssh-session.ts";

/** A lifecycle's steps as somebody types them who knows what is there and trusts that nothing goes wrong. */
export interface Lifecycle {
  create(): Promise<unknown>;
  attach(): Promise<unknown>;
  grow(): Promise<unknown>;
  snapshot(): Promise<unknown>;
  restore(): Promise<unknown>;
  detach(): Promise<unknown>;
  remove(): Promise<unknown>;
}

/** A session on each of two hosts of the lab. */
export class TypedSessions {
  readonly storage: SshSession;
  readonly consumer: SshSession;

  private constructor(storage: SshSession, consumer: SshSession) {
    this.storage = storage;
    this.consumer = consumer;
  }

  static async open(storage: Guest, consumer: Guest): Promise<TypedSessions> {
    return new TypedSessions(await openSession(storage), await openSession(consumer));
  }

  close(): void {
    this.storage.close();
    this.consumer.close();
  }
}

export function openSession(guest: Guest): Promise<SshSession> {
  const { private_key_file: privateKeyFile, ...server } = guest.providerHost();
  return SshSession.open({ ...server, privateKeyFile });
}

export interface TypedNames {
  readonly volume: string;
  readonly serial: string;
  /** Of the backstore in LIO. */
  readonly index: number;
  /** The storage host's on the storage network. */
  readonly address: string;
  readonly initiator: string;
}

/** A thin volume behind LIO iSCSI, with ext4 on its consumer. */
export function typedLifecycle({ storage, consumer }: TypedSessions, names: TypedNames): Lifecycle {
  const { volume, serial, index, address, initiator } = names;
  const iqn = `iqn.2026-01.test.typed:${volume}`;
  const store = `/sys/kernel/config/target/core/iblock_${index}`;
  const target = `/sys/kernel/config/target/iscsi/${iqn}`;
  const group = `${target}/tpgt_1`;
  const acl = `${group}/acls/${initiator}`;
  const node = `iscsiadm -m node -T ${iqn} -p ${address}:3260`;
  const device = `/dev/disk/by-path/ip-${address}:3260-iscsi-${iqn}-lun-0`;
  const mountPoint = `/mnt/${volume}`;
  return {
    create: () => storage.run(`lvcreate -qq -y -Wn -kn -V 1G --thinpool pool0 -n ${volume} vg0`),
    async attach() {
      await storage.run(`
modprobe -a iscsi_target_mod target_core_iblock
mkdir -p ${store}/${volume}
echo udev_path=/dev/vg0/${volume} >${store}/${volume}/control
echo 1 >${store}/${volume}/enable
echo ${serial} >${store}/${volume}/wwn/vpd_unit_serial
mkdir -p /sys/kernel/config/target/iscsi
mkdir -p ${group}/lun/lun_0 ${group}/np/${address}:3260
echo 1 >${group}/attrib/authentication
ln -s ${store}/${volume} ${group}/lun/lun_0/port
mkdir -p ${acl}/lun_0
ln -s ${group}/lun/lun_0 ${acl}/lun_0/lun
echo 0 >${acl}/lun_0/write_protect
printf %s somebody >${acl}/auth/userid
printf %s correct-horse-battery >${acl}/auth/password
echo 1 >${group}/enable`);
      await consumer.run(`
${node} -o new
${node} -o update -n node.session.auth.authmethod -v CHAP \\
  -n node.session.auth.username -v somebody -n node.session.auth.password -v correct-horse-battery
${node} --login
until [ -b ${device} ]; do sleep 0.1; done
mkfs.ext4 -q -E nodiscard ${device}
mkdir -p ${mountPoint}
mount -t ext4 ${device} ${mountPoint}`);
    },
    async grow() {
      await storage.run(`lvextend -qq -L 2G vg0/${volume}`);
      await consumer.run(`
${node} --rescan
disk=$(readlink -f ${device})
until [ "$(cat /sys/block/\${disk##*/}/size)" -eq 4194304 ]; do sleep 0.1; done
resize2fs "$disk"`);
    },
    snapshot: () => storage.run(`lvcreate -qq -y -s -kn -p r -n ${volume}-snapshot vg0/${volume}`),
    restore: () => storage.run(`lvcreate -qq -y -s -kn -p rw -n ${volume}-copy vg0/${volume}-snapshot`),
    async detach() {
      await consumer.run(`
umount ${mountPoint}
rmdir ${mountPoint}
${node} --logout
${node} -o delete`);
      await storage.run(`
echo 0 >${group}/enable
rm ${acl}/lun_0/lun
rmdir ${acl}/lun_0 ${acl}
rm ${group}/lun/lun_0/port
rmdir ${group}/lun/lun_0 ${group}/np/* ${group} ${target} ${store}/${volume} ${store}`);
    },
    remove: () => storage.run(`lvremove -qq -y vg0/${volume}-copy vg0/${volume}-snapshot vg0/${volume}`),
  };
}
