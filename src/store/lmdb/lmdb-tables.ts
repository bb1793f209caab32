import type { LmdbEnvironment, LmdbTable } from '../../lib/lmdb-environment.ts'

/** The tables of one namespace. */
export interface StoreTables {
  /** Partition → watermark and owner. */
  readonly partitions: LmdbTable
  /** Partition → what it remembers as a whole. */
  readonly states: LmdbTable
  readonly accounts: LmdbTable
  readonly userChunks: LmdbTable
  /** Keys only: partition, bucket, due time, account. */
  readonly due: LmdbTable
  /** Keys only: model, tier, score, account; of all partitions. */
  readonly listings: LmdbTable
  /** Book, partition, field → a double. */
  readonly counters: LmdbTable
}

/** Opens the tables; makes those that are missing. It waits for the write lock. */
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

/** The key of `meta` under which the number of partitions stands. */
export function partitionsKey(namespace: string | undefined): Buffer {
  return Buffer.from(inNamespace(namespace, 'store-partitions'))
}

/** No two namespaces share a name, also where one holds a slash: what follows the last slash has none. */
function inNamespace(namespace: string | undefined, name: string): string {
  return namespace === undefined ? name : `${namespace}/${name}`
}
