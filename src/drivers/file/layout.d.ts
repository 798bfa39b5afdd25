/** What a data file holds. A volume keeps the format it was made in; copies keep their source's. */
export type FileFormat = "raw" | "qcow2";
export type ObjectKind = "volume" | "snapshot";
/** An object's name in the directory, without the ending: `volume-<uuid>`. */
export type ObjectName = `${ObjectKind}-${string}`;
/** Everything of ours that is not an object's own file lives here, below the backend's directory. */
export declare const privateDirectory = ".breezeblock";
/** Half-made data and metadata. Whatever no reservation stands for is rubbish to whoever holds the lock. */
export declare const creatingDirectory = ".breezeblock/creating";
/** Records of long copies. */
export declare const jobsDirectory = ".breezeblock/jobs";
/** A POSIX extended expression for `find -regex`: the only names of the directory that are ever looked at. */
export declare const findExpression =
  ".*/(volume|snapshot)-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\\.(json|raw|qcow2)";
/** Lower-case UUIDs only: an id becomes part of a file name. */
export declare function isId(text: string): boolean;
export declare function objectName(kind: ObjectKind, id: string): ObjectName;
export interface FileName {
  readonly object: ObjectName;
  readonly kind: ObjectKind;
  readonly id: string;
  readonly ending: "json" | FileFormat;
}
/** Takes a file's name apart; `undefined` for what is none of ours. */
export declare function parseFileName(name: string): FileName | undefined;
