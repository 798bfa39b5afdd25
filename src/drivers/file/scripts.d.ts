/** Exit codes with a meaning of their own; every other failure is 1 or the tool's. */
export declare const exitCodes: {
  /** The marker in the directory is another one than expected, or gone. */
  readonly identityMismatch: 10;
  /** The metadata file is no longer what the decision was made from. */
  readonly changed: 11;
  /** The reservation is written; the data has to be copied by a job. */
  readonly needsCopy: 12;
  /** No reflink, and a copy would not be of one point in time. Nothing was made. */
  readonly cannotReflink: 13;
};
/**
 * `DIRECTORY`. Names are listed before and after the contents, so that a file that comes or goes meanwhile is told
 * apart from one that cannot be read; `grep -H` puts its file's name before each line of a metadata file, so that none
 * can pretend to be another's or break the parsing. Headers come last because they are binary.
 */
export declare const listScript: string;
/** `DIRECTORY`. The file system's size, then names and qcow2 headers as in the listing. */
export declare const statsScript: string;
/** `DIRECTORY FORMAT`. All that a backend needs, proven before anything is asked of it. */
export declare const checkScript: string;
/**
 * `DIRECTORY UUID`. Prints the marker that stands in the end. Takes the backend's own lock file, because nobody can
 * hold the backend's lock before this has run, and because hard links do not exist everywhere.
 */
export declare const identityScript: string;
/** `DIRECTORY IDENTITY LEFTOVER…` */
export declare const sweepScript: string;
/**
 * `DIRECTORY IDENTITY NAME FORMAT PROVISIONING SIZE RESERVED LEFTOVER…`; stdin: the metadata line.
 *
 * Data and metadata are made whole, then moved into place. The object exists from the second move on: metadata
 * without data is nothing, and is swept. Where a reservation stands (RESERVED is yes), data goes first, so that a
 * kill between the two leaves the reservation.
 */
export declare const createScript: string;
/**
 * `DIRECTORY IDENTITY SOURCE NAME FORMAT PROVISIONING SIZE REFLINK FALLBACK LEFTOVER…`; stdin: the reservation, then
 * the metadata line. Prints the new size in bytes when a reflink did it at once.
 */
export declare const copyScript: string;
/**
 * `DIRECTORY IDENTITY SOURCE NAME FORMAT REFLINK`. A detached job, without the lock: it writes nothing but the
 * half-made file of a reservation.
 */
export declare const copyJobScript: string;
/**
 * `DIRECTORY IDENTITY NAME FORMAT PROVISIONING SIZE LEFTOVER…`; stdin: the reservation as it stands, then the metadata
 * line. Prints the size in bytes.
 */
export declare const completeScript: string;
/** `DIRECTORY IDENTITY NAME FORMAT PROVISIONING SIZE LEFTOVER…`; stdin: the metadata line. Prints the size in bytes. */
export declare const extendScript: string;
/** `DIRECTORY IDENTITY NAME LEFTOVER…`; stdin: the metadata line as it stands, then the new one. */
export declare const updateScript: string;
/**
 * `DIRECTORY IDENTITY NAME FORMAT LEFTOVER…`; stdin: the metadata line. The object is gone with its data; metadata
 * that a kill leaves behind it is nothing, and is swept.
 */
export declare const deleteScript: string;
/**
 * `DIRECTORY IDENTITY LEFTOVER…`; stdin: for each object its name, its metadata line as it stands and the new one.
 * All are written and synced together, then moved into place.
 */
export declare const updateManyScript: string;
