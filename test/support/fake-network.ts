import {
  type AccessMode,
  type Connector,
  type ConnectorDriver,
  type ConsumerConnection,
  type ConsumerDevice,
  type Executor,
  type ExportState,
  type Filesystems,
  type MountState,
  StorageError,
  type TargetDriver,
} from "../../src/contract/index.ts";
import type { CountedHost } from "../../src/ssh/host.ts";
import type { HostSettings } from "../../src/ssh/index.ts";

/** A consumer as it stands, changed by tests at will. */
export interface Machine {
  initiator: string;
  readonly hostname: string;
  /** Why nobody gets through to it. */
  absence: StorageError | undefined;
  /** Sizes of devices, by volume id. */
  readonly devices: Map<string, number>;
  /** Volumes whose session is dead: they come back only once nothing is mounted. */
  readonly dead: Set<string>;
  readonly mounts: Map<string, MountState>;
}

/**
 * A storage side, consumers and their file systems in memory, for tests of what stands above targets and connectors. What
 * is asked of them is in `log`, in order.
 */
export class FakeNetwork {
  readonly log: string[] = [];
  readonly exports = new Map<string, { sizeBytes: number; granted: Map<string, AccessMode> }>();
  /** What each volume was formatted as. */
  readonly filesystems = new Map<string, string>();
  /** Thrown by the next use of that name. */
  readonly failures = new Map<string, StorageError>();
  readonly #machines = new Map<string, Machine>();
  readonly #addresses = new Map<string, string>();

  /** The machine at that address. */
  machine(address: string): Machine {
    const known = this.#machines.get(address);
    if (known !== undefined) return known;
    const machine: Machine = {
      initiator: `iqn.2026-01.test:${address}`,
      hostname: address,
      absence: undefined,
      devices: new Map(),
      dead: new Set(),
      mounts: new Map(),
    };
    this.#machines.set(address, machine);
    return machine;
  }

  /** A way to that machine; what runs there is told to the fakes by the host's name. */
  openHost(settings: HostSettings): CountedHost {
    this.#addresses.set(settings.name, settings.address);
    const host = settings.name;
    const nothing = (): never => {
      throw new Error("a fake consumer runs no commands");
    };
    return {
      host,
      run: nothing,
      withLock: async (_file, _options, use) => {
        this.#reach({ host, run: nothing });
        return use({ host, run: nothing });
      },
      runJob: nothing,
      forgetJob: nothing,
      stream: nothing,
      stats: () => ({ dials: 0, channels: 0, commands: 0 }),
      close: async () => undefined,
    };
  }

  target(): TargetDriver {
    const initiatorOf = ({ initiator }: Connector) => initiator ?? "";
    return {
      protocol: "iSCSI",
      checkForSetupError: async () => this.#note("check target"),
      validateConnector(connector) {
        if (initiatorOf(connector) !== "") return;
        throw new StorageError({
          kind: "InvalidConnector",
          action: "connect",
          reason: "no initiator",
          attribute: ["connector", "initiator"],
        });
      },
      initiatorOf,
      exports: async () => {
        this.#note("list exports");
        return new Map(
          [...this.exports].map(([volumeId, { sizeBytes, granted }]): [string, ExportState] => [
            volumeId,
            { volumeId, sizeBytes, fault: null, granted: new Map(granted), connected: null, mark: null },
          ]),
        );
      },
      createExport: async () => {
        throw new Error("exports are made by ensureExport");
      },
      ensureExport: async ({ id, sizeBytes }) => {
        this.#note("export");
        this.exports.set(id, { sizeBytes, granted: this.exports.get(id)?.granted ?? new Map() });
      },
      removeExport: async ({ id }) => {
        this.#note("remove export");
        this.exports.delete(id);
      },
      initializeConnection: async ({ id, sizeBytes }, connector, mode) => {
        this.#note("grant");
        const granted = this.exports.get(id)?.granted ?? new Map<string, AccessMode>();
        this.exports.set(id, { sizeBytes, granted: granted.set(initiatorOf(connector), mode) });
        return {
          driver_volume_type: "iSCSI",
          data: { target_iqn: `iqn.2026-01.test:${id}`, target_portals: ["10.0.0.5:3260"] },
        };
      },
      credentials: async () => ({ username: "consumer", password: "open-sesame" }),
      terminateConnection: async ({ id }, connector) => {
        this.#note("revoke");
        if (connector === null) this.exports.get(id)?.granted.clear();
        else this.exports.get(id)?.granted.delete(initiatorOf(connector));
      },
    };
  }

  connector(): ConnectorDriver {
    return {
      protocol: "iSCSI",
      connectorProperties: async ({ executor }) => {
        const { hostname, initiator } = this.#reach(executor);
        return { host: hostname, initiator };
      },
      connections: async ({ executor }) => {
        const machine = this.#reach(executor);
        this.#note("list connections");
        return new Map(
          [...machine.devices].map(([id, size]): [string, ConsumerConnection] => [
            id,
            machine.dead.has(id)
              ? { volumeId: id, device: null, fault: "no session is up" }
              : { volumeId: id, device: device(id, size), fault: null },
          ]),
        );
      },
      connectVolume: async ({ volumeId, credentials }, { executor }) => {
        const machine = this.#reach(executor);
        this.#note("log in");
        if (machine.dead.has(volumeId) && machine.mounts.has(volumeId)) {
          throw new StorageError({ kind: "VolumeIsBusy", action: "log in", reason: "it is mounted" });
        }
        machine.dead.delete(volumeId);
        const found = this.exports.get(volumeId);
        if (found?.granted.has(machine.initiator) !== true || credentials?.password !== "open-sesame") {
          throw new StorageError({ kind: "VolumeBackendError", action: "log in", reason: "refused" });
        }
        const size = machine.devices.get(volumeId) ?? found.sizeBytes;
        machine.devices.set(volumeId, size);
        return device(volumeId, size);
      },
      extendVolume: async ({ volumeId, sizeBytes }, { executor }) => {
        this.#note("extend device");
        this.#reach(executor).devices.set(volumeId, sizeBytes);
        return device(volumeId, sizeBytes);
      },
      disconnectVolume: async (volumeId, { executor }) => {
        const machine = this.#reach(executor);
        if (machine.mounts.get(volumeId)?.isMounted === true) {
          throw new StorageError({ kind: "VolumeIsBusy", action: "log out", reason: "it is mounted" });
        }
        this.#note("log out");
        machine.devices.delete(volumeId);
      },
    };
  }

  filesystemsDriver(): Filesystems {
    return {
      mounts: async (_devices, { executor }) => {
        this.#note("list mounts");
        return new Map([...this.#reach(executor).mounts].map(([id, mount]) => [id, [mount]]));
      },
      ensureFilesystem: async ({ volumeId }, { type }, format) => {
        const held = this.filesystems.get(volumeId);
        if (held === type) return;
        if (held !== undefined || format === undefined) {
          const reason = held === undefined ? "it holds no file system" : `it holds ${held}`;
          throw new StorageError({ kind: "InvalidInput", action: "make a file system", reason });
        }
        await format.record();
        this.#note("format");
        this.filesystems.set(volumeId, type);
      },
      mount: async ({ volumeId, sizeBytes }, { mountPoint, type, access }, { executor }) => {
        this.#note(`mount ${mountPoint}`);
        const machine = this.#reach(executor);
        const mount: MountState = {
          volumeId,
          mountPoint,
          type,
          access,
          isMounted: true,
          isInFstab: true,
          answers: true,
          errors: 0,
          sizeBytes: machine.mounts.get(volumeId)?.sizeBytes ?? sizeBytes,
        };
        machine.mounts.set(volumeId, mount);
        return mount;
      },
      grow: async ({ volumeId, sizeBytes }, _request, { executor }) => {
        const { mounts } = this.#reach(executor);
        const mount = mounts.get(volumeId);
        if (mount === undefined) throw new Error("only what is mounted grows");
        if (mount.sizeBytes !== sizeBytes) this.#note("grow");
        mounts.set(volumeId, { ...mount, sizeBytes });
        return { ...mount, sizeBytes };
      },
      unmount: async (volumeId, _device, _unreachable, { executor }) => {
        this.#note("unmount");
        this.#reach(executor).mounts.delete(volumeId);
      },
    };
  }

  #reach({ host }: Executor): Machine {
    const machine = this.machine(this.#addresses.get(host) ?? host);
    if (machine.absence !== undefined) throw machine.absence;
    return machine;
  }

  #note(what: string): void {
    this.log.push(what);
    const failure = this.failures.get(what);
    this.failures.delete(what);
    if (failure !== undefined) throw failure;
  }
}

function device(volumeId: string, sizeBytes: number): ConsumerDevice {
  return {
    volumeId,
    path: `/dev/disk/by-id/wwn-${volumeId}`,
    kernelPath: "/dev/sda",
    sizeBytes,
    portals: ["10.0.0.5:3260"],
    multipath: false,
  };
}
