import { setTimeout as sleep } from 'node:timers/promises'
import { kafkaClients } from '../src/consumers/kafka/client.ts'
import type { FloorJob, Measurement } from './jobs.ts'
import { connectionTo } from './kafka-bench-topics.ts'
import { collectGarbage, peakRssBytes, startClock, type Usage } from './measure.ts'

const PATIENCE_MS = 60_000

/**
 * What the score loop cannot be faster than: the same client, with the score loop's fetch settings, that takes every record
 * and parses its JSON. Nothing is committed. The clock runs from the first batch to the last record.
 */
export async function runFloor({ brokers, signalsTopic, group, records }: FloorJob): Promise<Measurement> {
  const clients = kafkaClients(connectionTo(brokers))
  const consumer = clients.create().consumer({
    groupId: group,
    maxBytes: 10 * 1024 * 1024,
    maxBytesPerPartition: 1024 * 1024,
    maxWaitTimeInMs: 250,
  })
  let readClock: (() => Usage) | undefined
  let parsed = 0
  let finish: (usage: Usage) => void = () => {}
  const finished = new Promise<Usage>(resolve => {
    finish = resolve
  })
  try {
    await consumer.connect()
    await consumer.subscribe({ topics: [signalsTopic], fromBeginning: true })
    collectGarbage()
    await consumer.run({
      autoCommit: false,
      partitionsConsumedConcurrently: 128,
      eachBatch: async ({ batch }) => {
        readClock ??= startClock()
        for (const { value } of batch.messages) JSON.parse(value!.toString())
        parsed += batch.messages.length
        if (parsed === records) finish(readClock())
      },
    })
    return { ...(await Promise.race([finished, timeOut()])), peakRssBytes: peakRssBytes() }
  } finally {
    await consumer.disconnect()
    clients.close()
  }
}

async function timeOut(): Promise<never> {
  await sleep(PATIENCE_MS, undefined, { ref: false })
  throw new Error(`not all records came within ${PATIENCE_MS / 1000} s`)
}
