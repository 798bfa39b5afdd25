import { randomUUID } from "node:crypto";
import { createFilesystems } from "../../src/connectors/filesystem/index.ts";
import { connectors } from "../../src/connectors/index.ts";
import type {
  ConnectorDriver,
  ConsumerDevice,
  DeviceRequest,
  FilesystemRequest,
  Filesystems,
  LockedContext,
  OperationContext,
  TargetDriver,
  VolumeRecord,
} from "../../src/contract/index.ts";
import { type CountedHost, openHost } from "../../src/ssh/index.ts";
import { createIscsiTarget } from "../../src/targets/iscsi/index.ts";
import { createNvmetTarget } from "../../src/targets/nvmet/index.ts";
import type { Guest } from "../lab/guest.ts";
import type { Lab } from "../lab/lab.ts";

export type NetworkProtocol = "iSCSI" | "nvmet_tcp";

const mebibyte = 1024 ** 2;
/** The least that xfs takes, and some. */
const volumeMebibytes = 384;

/** A storage host and a consumer of the lab, joined by one protocol, as an attachment would use them. */
export class ConnectorGround {
  readonly storage: Guest;
  readonly consumer: Guest;
  readonly target: TargetDriver;
  readonly connector: ConnectorDriver;
  readonly filesystems: Filesystems = createFilesystems();
  readonly consumerHost: CountedHost;
  /** Every line that the consumer's connection logged. */
  readonly logged: string[] = [];
  readonly #storageHost: CountedHost;

  constructor(lab: Lab, protocol: NetworkProtocol) {
    const [storage] = lab.storage;
    const [consumer] = lab.consumers;
    if (storage === undefined || consumer === undefined) throw new Error("The lab lacks a host.");
    this.storage = storage;
    this.consumer = consumer;
    this.#storageHost = openHost(storage.settings());
    this.consumerHost = openHost(consumer.settings(), {
      log: { debug: (message, fields) => this.logged.push(JSON.stringify([message, fields])) },
    });
    const port = protocol === "iSCSI" ? 3260 : 4420;
    const portals = storage.storageAddresses.map((address) => `${address}:${port}`);
    this.target = protocol === "iSCSI" ? createIscsiTarget({ portals }) : createNvmetTarget({ portals });
    this.connector = connectors[protocol]();
  }

  get context(): OperationContext {
    return { executor: this.consumerHost };
  }

  get #storageContext(): LockedContext {
    return {
      executor: this.#storageHost,
      fresh: { identity: null, volumes: new Map(), snapshots: new Map(), damaged: new Map() },
    };
  }

  /** A new empty volume that the consumer has access to, and what it connects with. */
  async granted(options: { readonly multipath?: boolean } = {}): Promise<GrantedVolume> {
    const id = randomUUID();
    const location = `/dev/vg0/${id}`;
    await this.storage.run(`lvcreate -qq -y -V ${volumeMebibytes}M --thinpool pool0 -n ${id} vg0`);
    const volume: VolumeRecord = {
      ...{ id, name: id.slice(0, 8), owner: "", phase: "acknowledged", location, pool: "pool0" },
      ...{ sizeBytes: volumeMebibytes * mebibyte, labels: {}, defaultLabels: {}, settings: {} },
      ...{ deletionProtection: false, createdAt: "2026-01-01T00:00:00Z", provisioning: "thin" },
      ...{ multiattach: false, source: null, formatted: false, attachments: [] },
    };
    return this.grant(volume, options.multipath ?? false);
  }

  async grant(volume: VolumeRecord, multipath: boolean): Promise<GrantedVolume> {
    const connector = await this.connector.connectorProperties(this.context);
    const context = this.#storageContext;
    await this.target.createExport(volume, context);
    const connection = await this.target.initializeConnection(volume, connector, "rw", context);
    const credentials = await this.target.credentials(volume, connector, context);
    const { id: volumeId, sizeBytes } = volume;
    return { volume, request: { volumeId, connection, credentials, multipath, sizeBytes } };
  }

  /** Doubles the volume, and tells the target. */
  async grow({ volume, request }: GrantedVolume): Promise<GrantedVolume> {
    const sizeBytes = volume.sizeBytes * 2;
    await this.storage.run(`lvextend -qq -y -L ${sizeBytes}b ${volume.location}`);
    const grown = { ...volume, sizeBytes };
    await this.target.ensureExport(grown, this.#storageContext);
    return { volume: grown, request: { ...request, sizeBytes } };
  }

  /** Takes the export away, with the consumer still on it or not. */
  async revoke({ volume }: GrantedVolume): Promise<void> {
    await this.target.removeExport(volume, this.#storageContext);
  }

  async discard(granted: GrantedVolume): Promise<void> {
    await this.revoke(granted);
    await this.storage.run(`lvremove -qq -y ${granted.volume.location}`);
  }

  /** Connected, with a new file system, mounted. */
  async mounted(
    granted: GrantedVolume,
    filesystem: FilesystemRequest,
  ): Promise<{ readonly device: ConsumerDevice; readonly point: string }> {
    const device = await this.connector.connectVolume(granted.request, this.context);
    await this.filesystems.ensureFilesystem(device, filesystem, { record: async () => {} }, this.context);
    await this.filesystems.mount(device, filesystem, this.context);
    return { device, point: filesystem.mountPoint };
  }

  async takeDown({ volume }: GrantedVolume): Promise<void> {
    const device = (await this.connector.connections(this.context)).get(volume.id)?.device ?? null;
    await this.filesystems.unmount(volume.id, device, "abandon", this.context);
    await this.connector.disconnectVolume(volume.id, this.context);
  }

  async close(): Promise<void> {
    await Promise.all([this.consumerHost.close(), this.#storageHost.close()]);
  }
}

export interface GrantedVolume {
  readonly volume: VolumeRecord;
  readonly request: DeviceRequest;
}

export function filesystemRequest(
  mountPoint: string,
  more: Partial<FilesystemRequest> = {},
): FilesystemRequest {
  return {
    ...{ type: "ext4", mountPoint, mountOptions: [], mkfsOptions: [], label: null },
    ...{ owner: null, mode: null, access: "rw" },
    ...more,
  };
}
