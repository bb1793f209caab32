import { hash128Hex } from '../../src/lib/hash.ts'
import type { Account, ModelSet } from '../../src/scoring/account.ts'
import {
  decodeAccount,
  decodeUserChunk,
  encodeAccount,
  encodeUserChunk,
} from '../../src/scoring/codec/codec.ts'
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
}

/**
 * Folds a history in the given batches. Between two batches only bytes are kept, as in a store.
 * @param isKept the other records are left out, as if their offsets were empty
 */
export function foldHistory(
  batches: readonly (readonly (HistoryRecord | LiveRecord)[])[],
  isKept: (record: HistoryRecord | LiveRecord) => boolean = () => true,
): FoldedHistory {
  const compiled = new Map<string, CompiledModel>()
  const compile = (definition: ModelDefinition): CompiledModel => {
    const contentHash = hash128Hex(JSON.stringify(definition))
    const model = compiled.get(contentHash) ?? compileModel(definition, contentHash)
    compiled.set(contentHash, model)
    return model
  }
  const memory = createPartitionMemory()
  let accounts = new Map<string, Account>()
  const events: ScoringEvent[] = []
  let offset = 0
  for (const batch of batches) {
    const entries = batch.flatMap((record): LogEntry[] => {
      const entry = entryOf(record, offset++, compile)
      if (!isKept(record)) return []
      // As the owner of a partition does: a tick after the models brings every account past them.
      return entry.type === 'models'
        ? [
            entry,
            {
              type: 'tick',
              offset: offset++,
              timestamp: entry.at,
              slice: 0,
              of: 1,
              scope: 'all',
              clock: 'wall',
            },
          ]
        : [entry]
    })
    events.push(...foldBatch(entries, memory, accounts).events.map(({ event }) => event))
    accounts = throughBytes(accounts, memory)
  }
  return {
    events,
    accounts,
    bytes: new Map([...accounts.values()].map(account => [account.id, encodeAccount(account)])),
  }
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
  if ('live' in record) return { type: 'live', offset }
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

function throughBytes(accounts: ReadonlyMap<string, Account>, memory: PartitionMemory): Map<string, Account> {
  const back = new Map<string, Account>()
  for (const account of accounts.values()) {
    const copy = decodeAccount(account.id, encodeAccount(account), memory.modelSets)
    for (const [name, chunk] of account.users.chunks)
      copy.users.chunks.set(name, decodeUserChunk(account.id, encodeUserChunk(chunk)))
    back.set(copy.id, copy)
  }
  return back
}
