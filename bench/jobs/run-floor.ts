import { setTimeout as sleep } from 'node:timers/promises'
import { openKafkaLog } from '../../src/log/kafka/kafka-log.ts'
import { connectionTo } from '../machine/bench-topics.ts'
import { collectGarbage, peakRssBytes, startClock, type Usage } from '../machine/measure.ts'
import type { FloorJob, Measurement } from './jobs.ts'

const BATCH_SIZE = 5_000
const PATIENCE_MS = 60_000

/**
 * A lower bound for the time of the score loop: it reads the log in the same way and only parses the JSON of
 * each record. It commits nothing. The clock runs from the first batch to the last record.
 */
export async function runFloor({ brokers, signalsTopic, group, records }: FloorJob): Promise<Measurement> {
  const log = openKafkaLog({ ...connectionTo(brokers), transactionalIdPrefix: group })
  let readClock: (() => Usage) | undefined
  let parsed = 0
  let finish: (usage: Usage) => void = () => {}
  const finished = new Promise<Usage>(resolve => {
    finish = resolve
  })
  try {
    collectGarbage()
    await log.consume({
      group,
      topics: [signalsTopic],
      batchSize: BATCH_SIZE,
      handler: {
        assigned: async () => 0,
        process: async (_, batch) => {
          readClock ??= startClock()
          for (const { value } of batch) JSON.parse(value!.toString())
          parsed += batch.length
          if (parsed === records) finish(readClock())
        },
        released: () => {},
      },
    })
    return { ...(await Promise.race([finished, timeOut()])), peakRssBytes: peakRssBytes() }
  } finally {
    await log.close()
  }
}

async function timeOut(): Promise<never> {
  await sleep(PATIENCE_MS, undefined, { ref: false })
  throw new Error(`not all records arrived within ${PATIENCE_MS / 1000} s`)
}
