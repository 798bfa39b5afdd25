import { GrpcError, statusCodes } from "./status.ts";

const prefixLength = 5;

/** One message as gRPC sends it: a byte of flags, its length in four bytes, itself. */
export function frameMessage(message: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(prefixLength + message.length);
  framed[0] = 0;
  framed.writeUInt32BE(message.length, 1);
  framed.set(message, prefixLength);
  return framed;
}

/** Takes messages out of the chunks of a stream. */
export class MessageReader {
  #chunks: Buffer[] = [];
  #length = 0;

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
  }

  /** The next whole message; undefined until it has come. Throws `GrpcError` for a compressed one. */
  next(): Uint8Array | undefined {
    if (this.#length < prefixLength) return undefined;
    const [first] = this.#chunks;
    const whole = this.#chunks.length === 1 && first !== undefined ? first : Buffer.concat(this.#chunks);
    this.#chunks = [whole];
    if (whole[0] !== 0) {
      throw new GrpcError(statusCodes.unimplemented, "Compressed messages are not supported.");
    }
    const end = prefixLength + whole.readUInt32BE(1);
    if (whole.length < end) return undefined;
    this.#chunks = [whole.subarray(end)];
    this.#length = whole.length - end;
    return whole.subarray(prefixLength, end);
  }
}
