import type { IncomingHttpHeaders } from 'node:http'
import type { FastifyInstance } from 'fastify'
import type { ByteQuota } from '../../lib/byte-quota.ts'
import { MAX_SIGNALS } from '../documents/schemas.ts'
import { Problem } from './problems.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What a request of this route takes in memory, about. Left out: so little that it never waits. */
    readonly memoryBytes?: number | ((headers: IncomingHttpHeaders) => number)
  }
}

/** One account as the store holds it, decoded, and the answer: usually much less. */
export const ONE_ACCOUNT = { memoryBytes: 64 * 1024 }
/** A page of accounts, or counters of all partitions. */
export const MANY_ROWS = { memoryBytes: 1024 * 1024 }

const MAX_WAIT_MS = 5_000
/** One connection can send many requests at once. A waiting one takes about 10 KiB. */
const MOST_WAITING = 1_000
/** The body, its text, its objects, and the records that are made of them. */
const BYTES_PER_BODY_BYTE = 6
/** JSON is rarely packed more tightly. */
const UNPACKED_BYTES_PER_BYTE = 20
/** The fields that a signal must have. */
const SMALLEST_SIGNAL_BYTES = 80
/** Each signal's account is loaded, to find duplicates: docs/scale.md. */
const BYTES_PER_LOADED_ACCOUNT = 10 * 1024

/** What a body of signals of up to `limitBytes` takes in memory, with the accounts that are loaded for it. */
export function bodyMemory(limitBytes: number): (headers: IncomingHttpHeaders) => number {
  return headers => {
    const length = Number(headers['content-length'])
    // Missing, or no number: the body may be as large as allowed.
    const sent = Number.isFinite(length) ? length : limitBytes
    const isPacked = (headers['content-encoding'] ?? 'identity') !== 'identity'
    const bytes = isPacked ? sent * UNPACKED_BYTES_PER_BYTE : sent
    const unpacked = Math.min(bytes, limitBytes)
    const accounts = Math.min(MAX_SIGNALS, Math.ceil(unpacked / SMALLEST_SIGNAL_BYTES))
    return BYTES_PER_BODY_BYTE * unpacked + BYTES_PER_LOADED_ACCOUNT * accounts
  }
}

/**
 * The requests under way share the memory of `quota`. Further ones wait, before their bodies are read, and
 * get 503 after 5 s, or at once if too many wait already.
 */
export function limitMemory(api: FastifyInstance, quota: ByteQuota): void {
  api.addHook('onRequest', async ({ headers, routeOptions }, reply) => {
    const { memoryBytes } = routeOptions.config
    if (memoryBytes === undefined) return
    const bytes = typeof memoryBytes === 'number' ? memoryBytes : memoryBytes(headers)
    if (quota.waiting >= MOST_WAITING) throw overloaded(`${MOST_WAITING} requests wait for memory`)
    const lease = await quota.leaseWithin(MAX_WAIT_MS, bytes)
    if (lease === undefined)
      throw overloaded(`There was no memory for this request within ${MAX_WAIT_MS / 1000} s`)
    if (reply.raw.closed) lease.release()
    else reply.raw.once('close', () => lease.release())
  })
}

function overloaded(what: string): Problem {
  return new Problem('OVERLOADED', `${what}: too many are under way. Ask again later.`)
}
