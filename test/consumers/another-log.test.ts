import { expect, test } from 'vitest'
import type { Backend } from '../../src/consumers/backend.ts'
import type { LogRecord } from '../../src/log/log.ts'
import { modelsAt, onePartition, signal, signalAt } from '../support/one-partition.ts'

const FIRST_LOG = [modelsAt(0), signalAt(1, signal('a', 'a')), signalAt(2, signal('b', 'b'))]

/** A store that holds all of the first log, and a scorer that takes the partition over another log. */
async function storeOfFirstLog() {
  const { context, store, take } = onePartition()
  const first = await take()
  await first.score(FIRST_LOG)
  first.release()
  const takeOver = (records: readonly LogRecord[], committedOffset: number) => {
    const log = {
      async *read(_: string, [stretch]: readonly { from: number; to: number }[]) {
        yield* records.filter(({ offset }) => offset >= stretch!.from && offset < stretch!.to)
      },
    }
    const backend = { ...context.backend, log } as unknown as Backend
    const endOffset = records.length
    return take({ backend }, { committedOffset, endOffset })
  }
  return { store, takeOver }
}

const later = (record: LogRecord): LogRecord => ({ ...record, timestamp: record.timestamp + 60_000 })
const SIGNALS_ONLY = [0, 1, 2, 3].map(offset => signalAt(offset, signal(`new-${offset}`, 'a')))

test.each([
  ['begins with signals', SIGNALS_ONLY],
  ['begins with the same models at a later time', [later(modelsAt(0)), ...SIGNALS_ONLY.slice(1)]],
])('skips nothing of a recreated log that %s and has grown past the store', async (_, records) => {
  const { store, takeOver } = await storeOfFirstLog()
  const storedOffset = await store.readStoredOffset(0)
  await expect(takeOver(records, 0)).rejects.toMatchObject({
    code: 'STORE_MOVED',
    message: expect.stringContaining('the store belongs to another log'),
  })
  expect(await store.readStoredOffset(0)).toBe(storedOffset)
})

test('skips what the store holds of the same log if the group lost its offsets', async () => {
  const { takeOver } = await storeOfFirstLog()
  const scorer = await takeOver([...FIRST_LOG, signalAt(3, signal('c', 'a'))], 0)
  expect(scorer.offsets.stored).toBe(FIRST_LOG.length)
})
