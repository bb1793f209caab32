import type { Backend } from '../../src/consumers/backend.ts'
import {
  type CheckpointItem,
  decodeItem,
  isHead,
} from '../../src/consumers/checkpoints/checkpoint-records.ts'
import { PartitionCheckpoints } from '../../src/consumers/checkpoints/partition-checkpoints.ts'
import type { LogRecord, OutgoingRecord } from '../../src/log/log.ts'
import { ModelLibrary } from '../../src/models/model-library.ts'
import { decodePartitionMemory } from '../../src/models/partition-memory-codec.ts'

export interface CheckpointToWrite {
  readonly backend: Backend
  readonly topic: string
  readonly partitions: number
  /**
   * How often each account is in the checkpoint, under different names. The copies' signals need not be
   * folded.
   */
  readonly copies: number
}

/**
 * Writes a checkpoint of the store, as the score loop does, but without waiting for batches. Returns the
 * number of records.
 */
export async function writeCheckpoint({
  backend: { log, store },
  topic,
  partitions,
  copies,
}: CheckpointToWrite): Promise<number> {
  const library = new ModelLibrary()
  let written = 0
  for (let partition = 0; partition < partitions; partition++) {
    const { storedOffset, state } = await store.readPartition(partition)
    const memory = decodePartitionMemory(state, library)
    const timing = { intervalMs: 0, now: () => 0 }
    const checkpoints = new PartitionCheckpoints(topic, timing, store, library)
    while (checkpoints.isWaiting) {
      const records = await checkpoints.next({ partition, memory, storedOffset })
      const all = records.flatMap(record => copiesOf(record, copies))
      await log.append(all)
      written += all.length
    }
  }
  return written
}

function copiesOf(record: OutgoingRecord, copies: number): OutgoingRecord[] {
  const decodable = { ...record, key: Buffer.from(record.key!), value: Buffer.from(record.value!) }
  if (isHead(decodable as unknown as LogRecord)) {
    const head = JSON.parse(String(record.value)) as { accounts: number }
    return [{ ...record, value: JSON.stringify({ ...head, accounts: head.accounts * copies }) }]
  }
  const item = decodeItem(decodable as unknown as LogRecord)
  if (item === undefined) return [record]
  return Array.from({ length: copies }, (_, copy) => ({ ...record, key: keyOfCopy(item, copy) }))
}

function keyOfCopy(item: CheckpointItem, copy: number): string {
  const accountId = copy === 0 ? item.accountId : `copy-${copy}-${item.accountId}`
  return item.type === 'account' ? `account:${accountId}` : `users:${item.chunk}:${accountId}`
}
