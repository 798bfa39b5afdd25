import type { ServerChannel } from "ssh2";

/**
 * ssh2 1.17 leaves a chunk that waited for window space in place once it is sent, and prefers a stdout
 * chunk over a stderr chunk when space comes. A later wait on stderr then sends the old stdout chunk
 * once more. Called before every write, with one write at a time in flight, this keeps the two apart.
 */
export function forgetSentChunk(channel: ServerChannel): void {
  Object.assign(channel, {
    _chunk: undefined,
    _chunkcb: undefined,
    _chunkErr: undefined,
    _chunkcbErr: undefined,
  });
}
