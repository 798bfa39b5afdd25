/**
 * Takes one frame's part out of one output stream: what stands between `<nonce>b…\n` and `<nonce>e…\n`, byte for
 * byte, wherever the chunks are cut. Nothing but those two markers means anything to it.
 */
export declare class FrameReader {
    #private;
    /** @param take gets the body in pieces. */
    constructor(nonce: string, take: (chunk: Buffer) => void);
    /** What the begin marker says; undefined until it was seen whole. */
    get begin(): string | undefined;
    /** What the end marker says; undefined until it was seen whole. */
    get end(): string | undefined;
    /** The next piece of the stream. What follows the end marker is dropped. */
    push(chunk: Buffer): void;
}
