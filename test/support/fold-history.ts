import { hash128Hex } from '../../src/lib/hash.ts'
import type { Account, ModelSet } from '../../src/scoring/account.ts'
import { ByteWriter } from '../../src/scoring/codec/bytes.ts'
import { addChunk, writeChunks } from '../../src/scoring/codec/chunk-codec.ts'
import { decodeAccount, encodeAccount } from '../../src/scoring/codec/codec.ts'
import { compileModel } from '../../src/scoring/definition/compile-model.ts'
import type { CompiledModel } from '../../src/scoring/definition/compiled-model.ts'
import type { ModelDefinition } from '../../src/scoring/definition/model-definition.ts'
import type { ScoringEvent } from '../../src/scoring/events.ts'
import { foldBatch } from '../../src/scoring/fold.ts'
import type { LogEntry } from '../../src/scoring/log-entry.ts'
import { createPartitionMemory, type PartitionMemory } from '../../src/scoring/partition-memory.ts'
import type { HistoryRecord, LiveRecord } from './slow/slow-evaluator.ts'

export interface FoldedHistory {
  readonly events: readonly ScoringEvent[]
  readonly accounts: ReadonlyMap<string, Account>
  /** The bytes of each account's core, by id. */
  readonly bytes: ReadonlyMap<string, Uint8Array>
  /** The bytes of each account's chunks, by id and name. */
  readonly chunks: ReadonlyMap<string, ReadonlyMap<string, Uint8Array>>
}

/**
 * Folds a history in the given batches. Between two batches only bytes are kept, as in a store.
 * @param isKept the other records are left out, as if their offsets were empty
 */
export function foldHistory(
  batches: readonly (readonly (HistoryRecord | LiveRecord)[])[],
  isKept: (record: HistoryRecord | LiveRecord) => boolean = () => true,
): FoldedHistory {
  const memory = createPartitionMemory()
  let accounts = new Map<string, Account>()
  const chunks = new Map<string, Map<string, Uint8Array>>()
  const events: ScoringEvent[] = []
  const entries = historyEntries(batches.flat(), isKept)
  let first = 0
  for (const { length } of batches) {
    const folded = foldBatch(entries.slice(first, first + length).flat(), memory, accounts)
    events.push(...folded.events.map(({ event }) => event))
    accounts = throughBytes(accounts, memory, chunks)
    first += length
  }
  return {
    events,
    accounts,
    bytes: new Map([...accounts.values()].map(account => [account.id, encodeAccount(account)])),
    chunks,
  }
}

/** The records of a log for each record of a history. */
export function historyEntries(
  history: readonly (HistoryRecord | LiveRecord)[],
  isKept: (record: HistoryRecord | LiveRecord) => boolean = () => true,
): LogEntry[][] {
  const compiled = new Map<string, CompiledModel>()
  const compile = (definition: ModelDefinition): CompiledModel => {
    const contentHash = hash128Hex(JSON.stringify(definition))
    const model = compiled.get(contentHash) ?? compileModel(definition, contentHash)
    compiled.set(contentHash, model)
    return model
  }
  let offset = 0
  return history.map(record => {
    const entry = entryOf(record, offset++, compile)
    if (!isKept(record)) return []
    if (entry.type !== 'models') return [entry]
    // As the owner of a partition does: a tick after the models brings every account past them.
    const all = { slice: 0, of: 1, scope: 'all', clock: 'wall' } as const
    return [entry, { type: 'tick', offset: offset++, timestamp: entry.at, ...all }]
  })
}

function entryOf(
  record: HistoryRecord | LiveRecord,
  offset: number,
  compile: (definition: ModelDefinition) => CompiledModel,
): LogEntry {
  if ('signal' in record)
    return {
      type: 'signal',
      offset,
      timestamp: record.timestamp,
      signal: record.signal,
      history: record.loaded === true,
    }
  if ('live' in record) return { type: 'live', offset, slices: 1 }
  if ('tick' in record)
    return {
      type: 'tick',
      offset,
      timestamp: record.timestamp,
      slice: 0,
      of: 1,
      scope: 'due',
      clock: record.loaded === true ? 'event' : 'wall',
    }
  const models = record.models.map(compile).sort((a, b) => (a.definition.id < b.definition.id ? -1 : 1))
  const set: ModelSet = { offset, at: record.timestamp, models }
  return { type: 'models', ...set }
}

/** @param chunks what a store holds of them; changed as a store would be */
function throughBytes(
  accounts: ReadonlyMap<string, Account>,
  memory: PartitionMemory,
  chunks: Map<string, Map<string, Uint8Array>>,
): Map<string, Account> {
  const back = new Map<string, Account>()
  for (const account of accounts.values()) {
    const stored = chunks.get(account.id) ?? new Map<string, Uint8Array>()
    chunks.set(account.id, stored)
    writeChunks(account, new ByteWriter(), (name, bytes) => {
      if (bytes === undefined) stored.delete(name)
      else stored.set(name, bytes)
    })
    const copy = decodeAccount(account.id, encodeAccount(account), memory.modelSets)
    for (const [name, bytes] of stored) addChunk(copy, name, bytes)
    back.set(copy.id, copy)
  }
  return back
}
