import { UpswellError } from '../../lib/errors.ts'
import type { Consumption, Log, PartitionHandler, PartitionSession } from '../../log/log.ts'
import { type CopyTarget, copyRecord, originOffset } from './copy-records.ts'

export interface CopyOptions {
  readonly log: Log
  readonly target: CopyTarget
  readonly group: string
  readonly batchSize: number
  readonly onCopied: (records: number) => void
}

/**
 * Copies the origin's log into the replay's, each record once: a batch of copies and the offset after their
 * originals are one transaction. Runs until it is stopped.
 */
export function startCopying(options: CopyOptions): Promise<Consumption> {
  const { log, target, group, batchSize } = options
  const handler: PartitionHandler = {
    assigned: async session => {
      await requireFirstCopy(options, session)
      return session.committedOffset
    },
    process: async (session, records) => {
      const copies = Array.from(records).flatMap(record => copyRecord(record, target))
      await session.commit(copies, records.at(-1)!.offset + 1)
      options.onCopied(records.length)
    },
    released: () => {},
  }
  return log.consume({ group, topics: [target.replay.origin.topic], handler, batchSize })
}

/**
 * A session without an offset must be the first that copies. A broker forgets the offsets of a group without
 * members after some days, and a second copy of the log would count everything twice.
 * @throws UpswellError LOG_UNAVAILABLE: there are copies already
 */
async function requireFirstCopy(
  { log, target, group }: CopyOptions,
  session: PartitionSession,
): Promise<void> {
  if (session.committedOffset > 0) return
  const { topic, replay, partitions } = target
  const ranges = await log.ranges(topic)
  for (let to = session.partition; to < partitions; to += replay.origin.partitions) {
    const end = ranges.get(to)?.end ?? 0
    for await (const record of log.read(topic, [{ partition: to, from: 0, to: end }])) {
      if (originOffset(record) === undefined) continue
      throw new UpswellError(
        'LOG_UNAVAILABLE',
        `${group} has no offset for ${session.topic} partition ${session.partition} any more (Kafka forgets the offsets of a group without members), but ${topic} has records of it: ` +
          `copying again would count them twice. Drop the replay ${replay.name} and begin it again, or set the group's offset to the one after the last copied record (see its header upswell-origin).`,
      )
    }
  }
}
