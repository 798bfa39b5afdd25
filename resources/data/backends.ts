import type { Backend } from "../../src/backend/index.ts";
import { isStorageError, type PoolStats, type VolumeStats } from "../../src/contract/index.ts";
import {
  boolean,
  defineDataSource,
  integer,
  number,
  objectMap,
  type State,
  string,
  stringMap,
  timeouts,
} from "../schema/index.ts";

/** What backend and pool have in common. */
const statsAttributes = {
  total_capacity_gb: number("computed_nullable", {
    description: "Total capacity in GiB; null where unknown.",
  }),
  free_capacity_gb: number("computed_nullable", { description: "Free capacity in GiB; null where unknown." }),
  provisioned_capacity_gb: number("computed_nullable", {
    description: "What all volumes could grow to together, in GiB; what others take up included.",
  }),
  reserved_percentage: integer("computed_nullable", {
    description: "How much of the total is never given to volumes, in percent.",
  }),
  max_over_subscription_ratio: string("computed_nullable", {
    description: "How many times the capacity may be promised to thin volumes: a number, or `auto`.",
  }),
  total_volumes: integer("computed_nullable", { description: "How many volumes there are, everybody's." }),
  thin_provisioning_support: boolean("computed", { description: "Whether volumes can be thin." }),
  thick_provisioning_support: boolean("computed", { description: "Whether volumes can be thick." }),
} as const;

const poolAttributes = {
  ...statsAttributes,
  data_percent: number("computed_nullable", {
    description: "How much of a thin pool's data space is used, in percent.",
  }),
  metadata_percent: number("computed_nullable", {
    description:
      "How much of a thin pool's space for its own records is used, in percent; without any left, the pool fails.",
  }),
} as const;

const backendAttributes = {
  host: string("computed", { description: "The storage host, a key of the provider's `hosts`." }),
  technology: string("computed", { description: "How volumes are allocated: `file`, `lvm`." }),
  usable: boolean("computed", { description: "Whether the backend answered and passed its setup check." }),
  problem: string("computed_nullable", { description: "Why it is not usable." }),
  identity: string("computed_nullable", {
    description: "What the storage calls itself; null before anything was made on it.",
  }),
  storage_protocol: string("computed", {
    description: "How consumers reach its volumes: `iSCSI`, `nvmet_tcp`, `local`.",
  }),
  vendor_name: string("computed_nullable", { description: "The driver's vendor." }),
  driver_version: string("computed_nullable", { description: "The driver's version." }),
  ...statsAttributes,
  filter_function: string("computed_nullable", {
    description: "The expression that says whether a volume may go there, as configured.",
  }),
  goodness_function: string("computed_nullable", {
    description: "The expression that says how well a volume would be placed there, as configured.",
  }),
  availability_zone: string("computed_nullable", { description: "Where it is, as configured." }),
  labels: stringMap("computed", { description: "Further capabilities, as configured." }),
  multiattach: boolean("computed", { description: "Whether a volume can have several attachments." }),
  online_extend_support: boolean("computed", { description: "Whether an attached volume can grow." }),
  pools: objectMap(poolAttributes, "computed", {
    description: "Its pools, by name; none where it is not divided into any.",
  }),
} as const;

type PoolState = State<typeof poolAttributes>;
type BackendState = State<typeof backendAttributes>;

const attributes = {
  timeouts: timeouts("read"),
  backends: objectMap(backendAttributes, "computed", {
    description: "Each backend of the provider, by name.",
  }),
} as const;

/** `breezeblock_backends`: what there is to allocate on, and whether it can be used. */
export const backendsData = defineDataSource<typeof attributes>({
  name: "backends",
  description:
    "All backends of the provider with their capacity and abilities. A backend that cannot be used is listed with the reason; it is no error.",
  attributes,
  readTimeout: 5 * 60_000,
  async read({ fleet }, config) {
    const described = await Promise.all(
      fleet.backends.map(
        async (backend): Promise<[string, BackendState]> => [backend.name, await describe(backend)],
      ),
    );
    return { ...config, backends: Object.fromEntries(described) };
  },
});

async function describe(backend: Backend): Promise<BackendState> {
  try {
    const [stats, listing] = await Promise.all([backend.stats(), backend.listing()]);
    return stateOf(backend, { stats, identity: listing.identity, problem: null });
  } catch (error) {
    if (!isStorageError(error)) throw error;
    return stateOf(backend, { stats: null, identity: null, problem: error.detail });
  }
}

function stateOf(
  backend: Backend,
  found: {
    readonly stats: VolumeStats | null;
    readonly identity: string | null;
    readonly problem: string | null;
  },
): BackendState {
  const { stats } = found;
  const { features } = backend.driver;
  const { placement = {} } = backend.settings;
  return {
    host: backend.settings.host,
    technology: backend.driver.technology,
    usable: found.problem === null,
    problem: found.problem,
    identity: found.identity,
    storage_protocol: backend.target.protocol,
    vendor_name: stats?.vendor_name ?? null,
    driver_version: stats?.driver_version ?? null,
    ...capacityOf(stats, {
      thin: features.provisioning.includes("thin"),
      thick: features.provisioning.includes("thick"),
    }),
    filter_function: placement.filterFunction ?? null,
    goodness_function: placement.goodnessFunction ?? null,
    availability_zone: placement.availabilityZone ?? null,
    labels: placement.labels ?? {},
    multiattach: features.multiattach,
    online_extend_support: features.onlineExtend,
    pools: Object.fromEntries((stats?.pools ?? []).map((pool) => [pool.pool_name, poolState(pool)])),
  };
}

function poolState(pool: PoolStats): PoolState {
  return {
    ...capacityOf(pool, {
      thin: pool.thin_provisioning_support ?? false,
      thick: pool.thick_provisioning_support ?? false,
    }),
    data_percent: pool.data_percent ?? null,
    metadata_percent: pool.metadata_percent ?? null,
  };
}

function capacityOf(
  stats: Omit<PoolStats, "pool_name"> | null,
  provisioning: { readonly thin: boolean; readonly thick: boolean },
): State<typeof statsAttributes> {
  const ratio = stats?.max_over_subscription_ratio;
  return {
    total_capacity_gb: knownCapacity(stats?.total_capacity_gb),
    free_capacity_gb: knownCapacity(stats?.free_capacity_gb),
    provisioned_capacity_gb: stats?.provisioned_capacity_gb ?? null,
    reserved_percentage: stats?.reserved_percentage ?? null,
    max_over_subscription_ratio: ratio === undefined ? null : String(ratio),
    total_volumes: stats?.total_volumes ?? null,
    thin_provisioning_support: provisioning.thin,
    thick_provisioning_support: provisioning.thick,
  };
}

function knownCapacity(capacity: VolumeStats["total_capacity_gb"] | undefined): number | null {
  return typeof capacity === "number" ? capacity : null;
}
