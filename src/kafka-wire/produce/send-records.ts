import type { ProducerBatch, RecordMetadata } from 'kafkajs'
import { cutBySize } from './cut-by-size.ts'
import { type RecordPosition, SendCall } from './send-call.ts'
import type { ProducedRecord } from './topic-records.ts'

/** A producer, or a transaction. */
export interface Sender {
  sendBatch(batch: ProducerBatch): Promise<RecordMetadata[]>
}

/** Leaders move while records are sent: after this many splits of the same records the error is thrown. */
const MAX_SPLITS = 12

/**
 * Sends the records, in their order within a partition, and returns their positions in the order given.
 * @throws Error kafkajs's errors, or that the brokers did not confirm a record
 */
// Every record must be in the brokers' confirmations. kafkajs 2.2.4 can report success for records that it
// never sent: it keeps the answers of brokers that succeeded over its attempts, and skips these brokers even
// if they now lead the partitions that failed before (tulios/kafkajs#1798). It also drops records for a
// partition that does not exist.
//
// Each broker gets a call of its own. In one call for several, kafkajs tries again as soon as one of them
// refuses, and sends records again, as new ones, that are still on their way to the others. Both would stay,
// in a transaction too.
export async function sendRecords(
  sender: Sender,
  records: readonly ProducedRecord[],
): Promise<RecordPosition[]> {
  const positions: RecordPosition[] = []
  for (const part of cutBySize(records)) positions.push(...(await sendTogether(sender, part, 0)))
  return positions
}

/** Settles only when no record is on its way any more, as far as kafkajs reports. */
async function sendTogether(
  sender: Sender,
  records: readonly ProducedRecord[],
  splits: number,
): Promise<RecordPosition[]> {
  const call = new SendCall(records)
  try {
    const confirmed = await sender.sendBatch({ acks: -1, topicMessages: call.topicMessages() })
    return call.positions(confirmed)
  } catch (error) {
    if (!call.isSplitBy(error) || splits === MAX_SPLITS) throw error
  }
  const positions = new Array<RecordPosition>(records.length)
  const sent = await Promise.allSettled(
    call.byLeader().map(async placed => {
      const group = placed.map(({ record }) => record)
      const found = await sendTogether(sender, group, splits + 1)
      for (const [i, { index }] of placed.entries()) positions[index] = found[i]!
    }),
  )
  for (const result of sent) if (result.status === 'rejected') throw result.reason
  return positions
}
