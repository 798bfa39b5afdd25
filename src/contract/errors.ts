/** Every way in which breezeblock can refuse or fail. The union is closed: code that reacts to a kind names it. */
export const errorKinds = [
  /** The storage tool on the host failed; `reason` holds its own words. */
  "VolumeBackendError",
  /** The volume is attached, has snapshots, or is being copied. Nothing was touched. */
  "VolumeIsBusy",
  /** Something still needs the snapshot. Nothing was touched. */
  "SnapshotIsBusy",
  /** A healthy backend of the expected identity says that the volume is not there. */
  "VolumeNotFound",
  /** A healthy backend of the expected identity says that the snapshot is not there. */
  "SnapshotNotFound",
  /** A healthy backend of the expected identity says that this attachment is not there. */
  "AttachmentNotFound",
  /** The connector lacks what the protocol needs. Nothing was changed. */
  "InvalidConnector",
  /** A value that the user gave cannot be. `attribute` names it. */
  "InvalidInput",
  /** A disk image is not what it should be: wrong checksum, too large, damaged, or of a kind that is not safe to open. */
  "ImageUnacceptable",
  /** The provider's settings cannot be. `attribute` names the place. */
  "InvalidConfiguration",
  /** No backend fits the request. */
  "NoValidBackend",
  /** The backend's setup check failed earlier in this run; `reason` is that first cause. */
  "BackendUninitialized",
  /** The backend is not the one that the state was made with, or cannot prove that it is. */
  "BackendIdentityMismatch",
  /** The host could not be reached or refused the login. The command never started. */
  "BackendUnreachable",
  /** The host shows another key than the one expected. Nothing was sent. */
  "HostKeyMismatch",
  /** The object on the host is another owner's, or nobody's. */
  "NotOwned",
  /** An object of that name exists already. */
  "AlreadyExists",
  /** Protected against deletion. */
  "DeletionProtected",
  /** The command was sent and its outcome is not known: connection lost, shell killed, or timed out. */
  "OperationInDoubt",
  /** Stopped on the user's request; `reason` says what had been done by then. */
  "Cancelled",
  /** The backend lacks this ability. */
  "NotSupported",
] as const;

export type ErrorKind = (typeof errorKinds)[number];

/** Where an attribute stands in the user's configuration: `["connector", "initiator"]`. */
export type AttributePath = readonly (string | number)[];

export interface StorageErrorDetails {
  readonly kind: ErrorKind;
  /** What could not be done, as a verb phrase: `create volume "db"`. */
  readonly action: string;
  /** Why, in the words of the tool that failed. Never holds a secret. */
  readonly reason: string;
  /** What the user can do about it; a full sentence. */
  readonly nextStep?: string | undefined;
  readonly backend?: string | undefined;
  readonly host?: string | undefined;
  readonly attribute?: AttributePath | undefined;
  readonly cause?: unknown;
}

/** The one error type of breezeblock. `kind` tells them apart; the message is complete enough to act on. */
export class StorageError extends Error {
  readonly kind: ErrorKind;
  readonly action: string;
  readonly reason: string;
  readonly nextStep: string | undefined;
  readonly backend: string | undefined;
  readonly host: string | undefined;
  readonly attribute: AttributePath | undefined;

  constructor(details: StorageErrorDetails) {
    super(describe(details), details.cause === undefined ? undefined : { cause: details.cause });
    this.name = details.kind;
    this.kind = details.kind;
    this.action = details.action;
    this.reason = details.reason;
    this.nextStep = details.nextStep;
    this.backend = details.backend;
    this.host = details.host;
    this.attribute = details.attribute;
  }

  /** One line for a diagnostic's summary. */
  get summary(): string {
    return `Unable to ${this.action}`;
  }

  /** The rest: where, why, and what to do. */
  get detail(): string {
    return describeDetail(this);
  }

  /** The same error with another sentence to its reason. */
  adding(sentence: string): StorageError {
    const { kind, action, nextStep, backend, host, attribute, cause = this } = this;
    const reason = `${this.reason.trim().replace(/[.]$/, "")}. ${sentence}`;
    return new StorageError({ kind, action, reason, nextStep, backend, host, attribute, cause });
  }

  /** The same error with what an outer layer knows added; what is set already stays. */
  with(
    context: Partial<Pick<StorageErrorDetails, "backend" | "host" | "attribute" | "nextStep">>,
  ): StorageError {
    return new StorageError({
      kind: this.kind,
      action: this.action,
      reason: this.reason,
      nextStep: this.nextStep ?? context.nextStep,
      backend: this.backend ?? context.backend,
      host: this.host ?? context.host,
      attribute: this.attribute ?? context.attribute,
      cause: this.cause ?? this,
    });
  }
}

/** True for a `StorageError`, of one of `kinds` where any are given. */
export function isStorageError(error: unknown, ...kinds: readonly ErrorKind[]): error is StorageError {
  return error instanceof StorageError && (kinds.length === 0 || kinds.includes(error.kind));
}

function describe(details: StorageErrorDetails): string {
  return `Unable to ${details.action}: ${describeDetail(details)}`;
}

function describeDetail(details: Omit<StorageErrorDetails, "kind" | "action">): string {
  const where = [
    details.backend === undefined ? undefined : `backend "${details.backend}"`,
    details.host === undefined ? undefined : `host "${details.host}"`,
  ].filter((part) => part !== undefined);
  const lines = [sentence(details.reason)];
  if (where.length > 0) lines.unshift(`On ${where.join(", ")}:`);
  const told = lines.join(" ");
  if (details.nextStep === undefined) return told;
  // What is to be done is no part of the last line of a list.
  return `${told}${details.reason.includes("\n") ? "\n" : " "}${sentence(details.nextStep)}`;
}

function sentence(text: string): string {
  const trimmed = text.trim();
  return /[.!?:]$/.test(trimmed) ? trimmed : `${trimmed}.`;
}
