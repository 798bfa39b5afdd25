import { bringTo, type Fleet, whereIs } from "../../src/backend/index.ts";
import type { VolumeRecord } from "../../src/contract/index.ts";
import { present } from "./expect.ts";
import { Session } from "./session.ts";
import type { Subject } from "./subject.ts";

/** `here`: the storage that is tried. `elsewhere`: the other one. */
export type Place = "here" | "elsewhere";

export function otherThan(place: Place): Place {
  return place === "here" ? "elsewhere" : "here";
}

/** How volumes are made in each. */
type PlaceStorages = {
  readonly [name in "storage" | "elsewhere"]: Pick<Subject[name], "provisioning">;
};

/** One run of a provider that has both storages, the one that is tried first. */
export class Places {
  readonly here: Session;
  readonly elsewhere: Session;
  readonly #fleet: Fleet;

  constructor(fleet: Fleet, { storage, elsewhere }: PlaceStorages) {
    const [first, second] = fleet.backends;
    this.#fleet = fleet;
    this.here = new Session(present(first, "the storage that is tried"), storage);
    this.elsewhere = new Session(present(second, "the other storage"), elsewhere);
  }

  /** Where the volume is that a state says is in `known`. */
  async find(
    { id }: Pick<VolumeRecord, "id">,
    known: Place,
  ): Promise<{ readonly place: Place; readonly volume: VolumeRecord }> {
    const { found } = await whereIs(this.#fleet, this[known].backend, id);
    const { backend, record } = present(found, "the volume");
    return { place: backend === this.here.backend ? "here" : "elsewhere", volume: record };
  }

  /** Moves the volume, which a state says is in `from`, to the other storage; goes on where an earlier run was. */
  async move(volume: Pick<VolumeRecord, "id">, from: Place): Promise<VolumeRecord> {
    const { id } = volume;
    const { place, volume: record } = await this.find({ id }, from);
    const target = this[otherThan(from)];
    const { record: moved } = await bringTo(
      this.#fleet,
      { backend: this[place].backend, record },
      {
        target: target.backend,
        birthplace: this.elsewhere.backend.name,
        name: record.name,
        pool: null,
        provisioning: target.provisioning,
      },
      undefined,
    );
    return moved;
  }
}
