import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PACKAGE_ROOT } from '../../src/app/config.ts'
import type { Backend } from '../../src/consumers/backend.ts'
import { PartitionScorer } from '../../src/consumers/scorer/partition-scorer.ts'
import { unlimitedShares } from '../../src/consumers/scorer/partition-shares.ts'
import { alwaysServing } from '../../src/consumers/scorer/publication.ts'
import type { ScorerContext } from '../../src/consumers/scorer/scorer-context.ts'
import type { Log, LogRecord, OutgoingRecord, PartitionSession } from '../../src/log/log.ts'
import {
  modelsRecord,
  promotionRecord,
  signalRecord,
  tickRecord,
} from '../../src/log/signals-topic-records.ts'
import { topicNames } from '../../src/log/topic-names.ts'
import { ModelLibrary } from '../../src/models/model-library.ts'
import type { Signal } from '../../src/signals/signal.ts'
import { logRecord } from './log-record.ts'
import { MemoryStore } from './memory-store.ts'

export const NOW = Date.parse('2026-01-05T10:00:00Z')
export const DAY_MS = 86_400_000
const SOURCE = { file: 'rolling', text: readFileSync(join(PACKAGE_ROOT, 'bench/rolling-score.yaml'), 'utf8') }
const topics = topicNames('')

export function signal(id: string, accountId: string): Signal {
  return {
    id,
    kind: 'usage',
    name: id,
    accountId,
    userId: 'u',
    quantityThousandths: 1000,
    properties: {},
    occurredAt: NOW,
  }
}

export function signalAt(offset: number, of: Signal, at = NOW): LogRecord {
  return logRecord(0, offset, signalRecord(topics.signals, of, at))
}

/** A record that makes rolling-score active. `more`: what its file has besides. */
export function modelsAt(offset: number, more = ''): LogRecord {
  const source = { ...SOURCE, text: SOURCE.text + more }
  return logRecord(0, offset, modelsRecord(topics.signals, 0, NOW, [source]))
}

/** A tick so many days later, for all accounts that are due then. */
export function tickAt(offset: number, days: number): LogRecord {
  const tick = { slice: 0, of: 1, scope: 'due', clock: 'wall' } as const
  return logRecord(0, offset, tickRecord(topics.signals, 0, NOW + days * DAY_MS, tick))
}

/** A record that promotes the lineage of this namespace. */
export function promotionAt(offset: number, namespace: string): LogRecord {
  const promotion = { namespace, replacedModels: [] }
  return logRecord(0, offset, promotionRecord(topics.signals, 0, NOW, promotion))
}

/**
 * One partition with a store in memory that is written with each batch. `committed`: the records of each
 * transaction. `positions`: what each of them says of the group. `lost`: why its sessions were lost.
 */
export function onePartition() {
  const store = new MemoryStore()
  const committed: OutgoingRecord[][] = []
  const positions: Pick<PartitionSession, 'committedOffset' | 'committedMetadata'>[] = []
  const lost: unknown[] = []
  const session: PartitionSession = {
    topic: topics.signals,
    partition: 0,
    committedOffset: 0,
    firstOffset: 0,
    endOffset: 1_000,
    commit: async (records, committedOffset, committedMetadata) => {
      committed.push([...records])
      positions.push({ committedOffset, committedMetadata })
    },
    isOver: false,
    lose: error => {
      lost.push(error)
    },
  }
  const backend = {
    store,
    log: {
      // A scorer looks only for the models that it has in memory: `modelsAt` made them.
      async *read(_, [stretch]) {
        yield modelsAt(stretch!.from)
      },
    } as Pick<Log, 'read'> as Log,
    commitFlush: async (_, { outputs, nextOffset, metadata, write }) => {
      await session.commit(outputs, nextOffset, metadata)
      await store.save(0, write)
    },
  } as Pick<Backend, 'log' | 'store' | 'commitFlush'> as Backend
  const logger = { info: () => {}, warn: () => {}, error: () => {} }
  const context: ScorerContext = {
    backend,
    publication: alwaysServing(topics),
    partitions: 1,
    library: new ModelLibrary(),
    logger,
    shares: unlimitedShares(),
    onScored: () => {},
  }
  const take = (
    parts: Partial<ScorerContext> = {},
    found: Partial<PartitionSession> = {},
  ): Promise<PartitionScorer> =>
    PartitionScorer.take({ ...context, ...parts }, { ...session, ...found }, 'token')
  return { store, session, context, committed, positions, lost, take }
}
