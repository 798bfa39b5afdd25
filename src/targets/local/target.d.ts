import { type TargetDriver } from "../../contract/index.ts";
/**
 * Access on the storage host itself: the consumer opens the volume's file or device by its path.
 *
 * Nothing stands between consumer and volume that could be exported, granted or revoked, so no call runs a command:
 * exporting and terminating always succeed, and a connection is the path. That only recorded attachments use it, and
 * only in their mode, is up to the consumer; file permissions are the host's.
 */
export declare function createLocalTarget(): TargetDriver;
