import {
  type ConnectionInfo,
  type DeviceRequest,
  type JsonValue,
  StorageError,
  type StorageProtocol,
} from "../contract/index.ts";
import { isDeviceOfAdopted } from "../drivers/lvm/names.ts";

/** Names, addresses and serial numbers as they stand in commands, paths and records: no blank, no quote, no slash. */
const word = /^[A-Za-z0-9][A-Za-z0-9._:@%+-]*$/;
const portal = /^(\[[0-9A-Fa-f:.%a-z]+\]|[A-Za-z0-9.-]+):[0-9]{1,5}$/;
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Reads a connection's data, which went through a state file, as strictly as if anybody had written it. */
export class ConnectionReader {
  readonly #request: DeviceRequest;
  readonly #data: ConnectionInfo["data"];

  constructor(request: DeviceRequest, protocol: StorageProtocol) {
    this.#request = request;
    this.#data = request.connection.data;
    if (request.connection.driver_volume_type !== protocol) {
      throw this.#wrong(`it is of ${request.connection.driver_volume_type}, not of ${protocol}`);
    }
    if (!uuid.test(request.volumeId)) throw this.#wrong(`${JSON.stringify(request.volumeId)} is no UUID`);
    if (!Number.isSafeInteger(request.sizeBytes)) throw this.#wrong(`${request.sizeBytes} is no size`);
  }

  word(name: string): string {
    const value = this.#data[name];
    if (typeof value === "string" && word.test(value)) return value;
    throw this.#invalid(name, value);
  }

  number(name: string): number {
    const value = this.#data[name];
    if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
    throw this.#invalid(name, value);
  }

  /** At least one; more than one counts only with multipath, or where the first does not answer. */
  portals(): readonly string[] {
    const value = this.#data["target_portals"];
    if (!Array.isArray(value) || value.length === 0) throw this.#invalid("target_portals", value);
    return value.map((entry: JsonValue) => {
      if (typeof entry === "string" && portal.test(entry)) return entry;
      throw this.#invalid("target_portals", value);
    });
  }

  /** The name of a link below `/dev/disk/by-id/`; given with that directory or without. */
  linkName(): string {
    const value = this.#data["by_id"];
    const name = typeof value === "string" ? value.replace(/^\/dev\/disk\/by-id\//, "") : "";
    if (word.test(name)) return name;
    throw this.#invalid("by_id", value);
  }

  /** A path on the consumer that names the volume, by its id or by what that was made of; blanks in it are fine. */
  localPath(name: string): string {
    const value = this.#data[name];
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
    const isPath = typeof value === "string" && /^\/[^\u0000-\u001f\u007f]*$/.test(value);
    const { volumeId } = this.#request;
    if (isPath && (value.includes(volumeId) || isDeviceOfAdopted(value, volumeId))) return value;
    throw this.#invalid(name, value);
  }

  /** What goes to standard input; two empty lines for none. */
  credentials(): string {
    const { credentials } = this.#request;
    if (credentials === null) return "\n\n";
    const { username, password } = credentials;
    // The password is in no message.
    for (const text of [username, password]) {
      if (!/^[\x21-\x7e]+$/.test(text))
        throw this.#wrong("user name or password holds a blank or control character");
    }
    return `${username}\n${password}\n`;
  }

  #invalid(name: string, value: JsonValue | undefined): StorageError {
    return this.#wrong(`its ${name} cannot be ${JSON.stringify(value)}`);
  }

  #wrong(reason: string): StorageError {
    return new StorageError({
      kind: "InvalidInput",
      action: `use the connection to volume ${this.#request.volumeId}`,
      reason,
    });
  }
}

export function checkVolumeId(volumeId: string, action: string): void {
  if (uuid.test(volumeId)) return;
  throw new StorageError({ kind: "InvalidInput", action, reason: `${JSON.stringify(volumeId)} is no UUID` });
}
