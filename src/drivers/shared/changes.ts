import type { Attachment, Connector, VolumeRecord } from "../../contract/index.ts";
import { refuseSecondAttachment } from "./refusals.ts";

/** The changes that are there: a field that is `undefined` stays as it is. */
export function given<T extends object>(changes: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(changes).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

/** ATT-1: a volume's attachments with one more. Throws `VolumeIsBusy` where it can have no second one. */
export function withAttachment(
  volume: Pick<VolumeRecord, "multiattach" | "attachments">,
  attachment: Attachment,
  action: string,
): readonly Attachment[] {
  // What a killed run attached for this same consumer is taken over; what a state knows of is that state's.
  const takenOver = (other: Attachment) =>
    other.id === attachment.id ||
    (!volume.multiattach &&
      other.phase === "unacknowledged" &&
      sameConnector(other.connector, attachment.connector));
  const others = volume.attachments.filter((other) => !takenOver(other));
  if (!volume.multiattach) refuseSecondAttachment(others, action);
  return [...others, attachment];
}

function sameConnector(one: Connector, other: Connector): boolean {
  return (
    one.host === other.host &&
    one.initiator === other.initiator &&
    one.nqn === other.nqn &&
    one.ip === other.ip
  );
}
