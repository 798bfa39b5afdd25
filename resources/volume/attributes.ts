import { imageAttributes } from "../common/images.ts";
import { objectName, objectNamePrefix } from "../common/names.ts";
import { sizeInGib } from "../common/sizes.ts";
import {
  boolean,
  choice,
  integer,
  object,
  type Planned,
  type State,
  string,
  stringList,
  stringMap,
  timeouts,
} from "../schema/index.ts";

export const attributes = {
  id: string("computed", {
    description:
      "`<backend>/<uuid>`, with the backend that the volume was made on; never changes, also when the volume is moved.",
  }),
  name: string("optional_computed", {
    description:
      "The volume's name: unique for owner and backend, kept as metadata on the host, changed in place. Exactly one of `name` and `name_prefix` is given.",
    validators: [objectName],
    example: "db",
  }),
  name_prefix: string("optional", {
    description:
      "What a generated, unique name begins with. Lets a replacement be created before the old volume is destroyed.",
    validators: [objectNamePrefix],
  }),
  size: integer("optional_computed", {
    description:
      "Size in GiB, required unless `source` gives it (of an image, on a backend that is named). Grows in place; a smaller size than the volume has is refused at plan.",
    validators: [sizeInGib],
    example: 10,
  }),
  backend: string("optional_computed", {
    description:
      "The backend to allocate on, a key of the provider's `backends`; `name#pool` for one of its pools. Left out, the volume goes to the best that fits (with a `source`, to that of the source): plan proves that there is one, apply decides, and the volume stays there from then on. A change is refused at plan, unless `on_backend_change` allows it.",
    example: "fast",
  }),
  availability_zone: string("optional", {
    description:
      "The `availability_zone` that the backend must be in. Counts when the volume is made; a later change is refused where the volume is elsewhere.",
  }),
  requirements: stringMap("optional", {
    description:
      'What the backend must be, as extra specs: capabilities (what `breezeblock_backends` shows, and `labels` of the backend) with what is required of them, as in `{ tier = "gold", "capabilities:multiattach" = "<is> True" }`. A `backend` that is named must meet them as well. Keys with any scope but `capabilities:` are left alone, but for `provisioning:type` (`thin` or `thick`).',
  }),
  scheduler_hints: object(
    {
      same_backend_as: stringList("optional", {
        description: "Ids of volumes whose backend it must be on.",
      }),
      different_backend_from: stringList("optional", {
        description: "Ids of volumes whose backends it must not be on.",
      }),
    },
    "optional",
    {
      description:
        "Where it must be with regard to other volumes, when it is made. What is not known at plan counts at apply.",
    },
  ),
  on_backend_change: choice(["refuse", "migrate", "replace"], "defaulted", {
    description:
      "What a changed `backend` does: `refuse` stops the plan; `migrate` moves the volume with its data, while it has neither attachments nor snapshots; `replace` destroys the volume **with its data** and makes an empty one on the other backend.",
    default: "refuse",
  }),
  source: object(
    {
      snapshot_id: string("optional", { description: "The snapshot whose content the volume starts with." }),
      volume_id: string("optional", {
        description: "The volume whose content the volume starts with (a clone).",
      }),
      image: object(imageAttributes, "optional", {
        description:
          "A disk image that is written to the volume when it is made. Exactly one of `url`, `path` and `local_path` is given. Without a `size` the volume has the image's, in whole GiB.",
      }),
    },
    "optional",
    {
      description:
        "What the new volume's content is copied from: a snapshot or a volume on the same backend, or an image; afterwards the two are independent. Exactly one of its attributes is given. Without a source the volume reads as zeros.",
    },
  ),
  on_source_change: choice(["refuse", "replace", "keep"], "defaulted", {
    description:
      "What a changed `source` does: `refuse` stops the plan; `replace` destroys the volume **with its data** and makes it anew from the new source; `keep` notes the new source and leaves the data as it is. Removing `source` never touches the volume.",
    default: "refuse",
  }),
  provisioning: choice(["thin", "thick"], "optional_computed", {
    description:
      "`thin` takes space as it is written, `thick` reserves all of it at once. Default: the backend's first. Cannot be changed.",
  }),
  volume_clear: choice(["zero", "none"], "optional", {
    description:
      "For thick volumes of LVM, what becomes of the data when the volume is deleted: `zero` (default) overwrites it, `none` leaves it on the disk until somebody is given that space. Where the backend's own `volume_clear` is `none`, nothing is left there all the same. Changed in place.",
  }),
  multiattach: boolean("defaulted", {
    description: "Whether the volume may have several attachments at a time.",
    default: false,
  }),
  deletion_protection: boolean("optional_computed", {
    description:
      "Refuses to delete the volume: at plan, and always on the host. Default: the provider's `deletion_protection`.",
  }),
  deletion_policy: choice(["delete", "retain", "snapshot"], "defaulted", {
    description:
      "What destroying the resource does: `delete` deletes the volume and its data; `retain` leaves it on the backend, marked as retained; `snapshot` deletes it after a last snapshot, `<name>-last-<date>-<id>`, which stays on the backend, marked as retained, and is refused at plan where snapshots do not outlive their volume (thick volumes of LVM). What was applied counts, not what the change says that destroys the volume. A volume that others made and that was adopted is given back by `retain`: what breezeblock wrote on it is removed, and nothing else.",
    default: "delete",
  }),
  restore: object(
    {
      snapshot_id: string("required", {
        description:
          "The snapshot, one of this volume. Written as it is, or through a variable: as a reference to the snapshot's resource, which refers to this volume itself, it would be a cycle.",
      }),
      trigger: string("required", {
        description: "Any text, such as a date or a ticket's number. Another one restores (again).",
      }),
    },
    "optional",
    {
      description:
        "Puts the volume back to one of its snapshots whenever `trigger` **changes**: everything written since the snapshot was taken is lost. The plan warns of it. Only while the volume has no attachment, and as large as it was. When `restore` is written for the first time, and on creation and import, nothing is put back: the trigger is noted. The snapshot stays.",
    },
  ),
  labels: stringMap("optional", {
    description: "Any strings; kept on the host with the volume, over the provider's `default_labels`.",
    example: { app: "postgres" },
  }),
  timeouts: timeouts("create", "read", "update", "delete"),
  labels_all: stringMap("computed", {
    description: "`labels` and the provider's `default_labels` together, as kept on the host.",
  }),
  claimed: boolean("computed", {
    description:
      "Whether breezeblock's records are on the volume. False only for a volume that others made, between its import and the next apply, which claims it.",
  }),
  migration: string("computed_nullable", {
    description:
      "What is left of a move that was interrupted: `to NAME` while the volume is still on its old backend, `from NAME` while the old one is still to be removed. The next apply finishes the move, or takes it back where the old backend is written again.",
  }),
  pool: string("computed", { description: "The pool of the backend that the volume is in." }),
  size_bytes: integer("computed", { description: "The exact size in bytes." }),
  provider_location: string("computed", {
    description: "Where the data is on the storage host, in the technology's own terms.",
  }),
  device_path: string("computed_nullable", {
    description: "Path of the volume on the storage host itself, where it has one.",
  }),
  backend_identity: string("computed", {
    description:
      "What the storage behind the backend calls itself; it must stay the same for the volume to count as gone.",
  }),
  created_at: string("computed", { description: "When the volume was created, RFC 3339 in UTC." }),
} as const;

export type VolumeAttributes = typeof attributes;
export type VolumeState = State<VolumeAttributes>;
export type VolumePlan = Planned<VolumeAttributes>;

/** What only the configuration decides: known at apply, and kept as written. */
export const writtenNames = [
  "name_prefix",
  "availability_zone",
  "requirements",
  "scheduler_hints",
  "on_backend_change",
  "source",
  "on_source_change",
  "volume_clear",
  "multiattach",
  "deletion_policy",
  "restore",
  "labels",
  "timeouts",
] as const;
export type Written = Pick<VolumeState, (typeof writtenNames)[number]>;
/** The same, and what state says of where the volume is. */
export type Kept = Written & Pick<VolumeState, "backend"> & { readonly id: string | null };
