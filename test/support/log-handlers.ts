import { setTimeout as sleep } from 'node:timers/promises'
import type { Log, LogRecord, PartitionHandler, PartitionSession, RecordList } from '../../src/log/log.ts'

export const silent = { info: () => {}, warn: () => {}, error: () => {} }

/** Publishes a copy of every record, in the same transaction as the offset. */
export class CopyingHandler implements PartitionHandler {
  readonly #output: string

  constructor(output: string) {
    this.#output = output
  }

  async assigned(session: PartitionSession): Promise<number> {
    return session.committedOffset
  }

  async process(session: PartitionSession, records: RecordList): Promise<void> {
    const copies = Array.from(records, ({ key, value }) => ({ topic: this.#output, key, value }))
    await session.commit(copies, records.at(-1)!.offset + 1)
  }

  released(): void {}
}

export async function all(log: Log, topic: string): Promise<LogRecord[]> {
  const records: LogRecord[] = []
  for await (const record of log.readAll(topic)) records.push(record)
  return records
}

export function textOf(record: LogRecord): string {
  return record.value?.toString() ?? ''
}

export async function until(isSo: () => boolean | Promise<boolean>, patienceMs = 45_000): Promise<void> {
  const deadline = Date.now() + patienceMs
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`Still false after ${patienceMs} ms: ${isSo}`)
    await sleep(20)
  }
}
