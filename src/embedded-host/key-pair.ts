import ssh2 from "ssh2";

/** A private key in OpenSSH format, and its public key as one line. */
export interface KeyPair {
  readonly private: string;
  readonly public: string;
}

/**
 * A new Ed25519 key pair in OpenSSH format. Of the pairs that ssh2 makes, about one in 256 is cut short (a key that
 * begins with a zero byte loses it) and can be read by nobody; such a pair is made again.
 */
export function generateKeyPair(comment = "", generate = generateOnce): KeyPair {
  for (;;) {
    const pair = generate(comment);
    if (!(ssh2.utils.parseKey(pair.private) instanceof Error)) return pair;
  }
}

function generateOnce(comment: string): KeyPair {
  return ssh2.utils.generateKeyPairSync("ed25519", { comment });
}
