import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PACKAGE_ROOT } from '../../src/app/config.ts'
import type { Counters } from './counters-measure.ts'

/** Upper bounds of the counters. */
export interface Bounds {
  /** The major version of Node with which the bytes were counted. */
  readonly node: number
  readonly most: Counters
}

const FILE = 'bench/counters/bounds.json'
/** How far bytes may exceed the count: a change elsewhere can change what the compiler optimizes away. */
const ALLOWANCE = 0.03

const UNITS: Readonly<Record<keyof Counters, string>> = {
  storeCallsPerBatch: 'calls of the store for a batch',
  transactionsPerBatch: 'transactions for a batch',
  storeCallsPerTick: 'calls of the store for a tick',
  decodeBytesPerSignal: 'bytes of memory to decode a signal',
  foldBytesPerSignal: 'bytes of memory to fold a signal',
}
const NAMES = Object.keys(UNITS) as (keyof Counters)[]
const OF_NODE: ReadonlySet<keyof Counters> = new Set(['decodeBytesPerSignal', 'foldBytesPerSignal'])

export function readBounds(): Bounds {
  return JSON.parse(readFileSync(join(PACKAGE_ROOT, FILE), 'utf8')) as Bounds
}

export function writeBounds(bounds: Bounds): void {
  writeFileSync(join(PACKAGE_ROOT, FILE), `${JSON.stringify(bounds, undefined, 2)}\n`)
}

/** Bounds that these counters keep. */
export function boundsFor(counters: Counters, node: number): Bounds {
  const most = { ...counters }
  for (const name of OF_NODE) most[name] = Math.ceil(counters[name] * (1 + ALLOWANCE))
  return { node, most }
}

/**
 * One sentence for each counter above its bound. Bytes are compared only under the Node version of the
 * bounds.
 */
export function exceeded(counters: Counters, { node, most }: Bounds, runningNode: number): string[] {
  return NAMES.filter(
    name => counters[name] > most[name] && (node === runningNode || !OF_NODE.has(name)),
  ).map(
    name =>
      `${counters[name]} ${UNITS[name]}, where ${FILE} allows ${most[name]} (${name}). Find the added cost; look at the newest change of src/ first` +
      `${OF_NODE.has(name) ? '; "node --cpu-prof" or "--heap-prof" with dist/bench/counters/counters-allocation.js shows where' : ''}. ` +
      'If it is worth its cost: npm run build && node dist/bench/counters/counters.js --update',
  )
}

export function describeCounters(counters: Counters, { most }: Bounds): string {
  return NAMES.map(name => `${counters[name]} ${UNITS[name]}; ${most[name]} allowed\n`).join('')
}

export function runningNode(): number {
  return Number(process.versions.node.split('.')[0])
}
