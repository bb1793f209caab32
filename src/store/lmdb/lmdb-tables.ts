import type { LmdbEnvironment, LmdbTable } from '../../lib/lmdb/lmdb-environment.ts'

/** The tables of one namespace. */
export interface StoreTables {
  /** Partition → stored offset and fencing token; beside it, the offset from which it is whole. */
  readonly partitions: LmdbTable
  /** Partition → its state as a whole. */
  readonly states: LmdbTable
  readonly accounts: LmdbTable
  readonly userChunks: LmdbTable
  /** Keys only: partition, bucket, due time, account. */
  readonly due: LmdbTable
  /** Keys only: list, tier, score, account; all partitions together. */
  readonly listings: LmdbTable
  /** Book, partition, field → a double. */
  readonly counters: LmdbTable
}

/** Opens the tables, and makes the missing ones. Waits for the write lock. */
export function openStoreTables(environment: LmdbEnvironment, namespace: string | undefined): StoreTables {
  const table = (name: string) => environment.table(inNamespace(namespace, `store-${name}`))
  return {
    partitions: table('partitions'),
    states: table('states'),
    accounts: table('accounts'),
    userChunks: table('user-chunks'),
    due: table('due'),
    listings: table('listings'),
    counters: table('counters'),
  }
}

/** The key in `meta` of the number of partitions. */
export function partitionsKey(namespace: string | undefined): Buffer {
  return Buffer.from(inNamespace(namespace, 'store-partitions'))
}

/** No two namespaces share a table, even if one holds a slash: the part after the last slash has none. */
function inNamespace(namespace: string | undefined, name: string): string {
  return namespace === undefined ? name : `${namespace}/${name}`
}
