/** The configured hosts and backends of one run. */
export interface Fleet {
  /** Writes what is still pending (acknowledgements), then closes every connection. Idempotent. */
  close(): Promise<void>;
}
