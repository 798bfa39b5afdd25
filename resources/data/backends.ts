import type { Backend } from "../../src/backend/index.ts";
import { isStorageError, type VolumeStats } from "../../src/contract/index.ts";
import {
  boolean,
  defineDataSource,
  integer,
  number,
  objectMap,
  type State,
  string,
  stringList,
  timeouts,
} from "../schema/index.ts";

const backendAttributes = {
  host: string("computed", { description: "The storage host, a key of the provider's `hosts`." }),
  technology: string("computed", { description: "How volumes are allocated: `file`." }),
  usable: boolean("computed", { description: "Whether the backend answered and passed its setup check." }),
  problem: string("computed_nullable", { description: "Why it is not usable." }),
  identity: string("computed_nullable", {
    description: "What the storage calls itself; null before anything was made on it.",
  }),
  storage_protocol: string("computed", { description: "How consumers reach its volumes: `local`." }),
  vendor_name: string("computed_nullable", { description: "The driver's vendor." }),
  driver_version: string("computed_nullable", { description: "The driver's version." }),
  total_capacity_gb: number("computed_nullable", {
    description: "Total capacity in GiB; null where unknown.",
  }),
  free_capacity_gb: number("computed_nullable", { description: "Free capacity in GiB; null where unknown." }),
  provisioned_capacity_gb: number("computed_nullable", {
    description: "What all volumes could grow to together, in GiB.",
  }),
  total_volumes: integer("computed_nullable", { description: "How many volumes there are, everybody's." }),
  pools: stringList("computed", { description: "The names of its pools." }),
  thin_provisioning_support: boolean("computed", { description: "Whether volumes can be thin." }),
  thick_provisioning_support: boolean("computed", { description: "Whether volumes can be thick." }),
  multiattach: boolean("computed", { description: "Whether a volume can have several attachments." }),
  online_extend_support: boolean("computed", { description: "Whether an attached volume can grow." }),
} as const;

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
  return {
    host: backend.settings.host,
    technology: backend.driver.technology,
    usable: found.problem === null,
    problem: found.problem,
    identity: found.identity,
    storage_protocol: backend.target.protocol,
    vendor_name: stats?.vendor_name ?? null,
    driver_version: stats?.driver_version ?? null,
    total_capacity_gb: knownCapacity(stats?.total_capacity_gb),
    free_capacity_gb: knownCapacity(stats?.free_capacity_gb),
    provisioned_capacity_gb: stats?.provisioned_capacity_gb ?? null,
    total_volumes: stats?.total_volumes ?? null,
    pools: stats?.pools?.map(({ pool_name }) => pool_name) ?? [],
    thin_provisioning_support: features.provisioning.includes("thin"),
    thick_provisioning_support: features.provisioning.includes("thick"),
    multiattach: features.multiattach,
    online_extend_support: features.onlineExtend,
  };
}

function knownCapacity(capacity: VolumeStats["total_capacity_gb"] | undefined): number | null {
  return typeof capacity === "number" ? capacity : null;
}
