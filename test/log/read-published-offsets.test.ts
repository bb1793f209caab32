import { expect, it } from 'vitest'
import type { Log, LogRecord, Stretch } from '../../src/log/log.ts'
import { readPublishedOffsets } from '../../src/log/read-published-offsets.ts'

const END = 5_000

/** A partition that ends at offset 5,000 and has records at these offsets. */
function logOf(offsets: readonly number[], committed: number | undefined, metadata?: string): Log {
  async function* read(_: string, [stretch]: readonly Stretch[]): AsyncGenerator<LogRecord> {
    for (const offset of offsets)
      if (offset >= stretch!.from && offset < stretch!.to) yield { offset } as LogRecord
  }
  return {
    read,
    ranges: async () => new Map([[0, { first: 10, end: END }]]),
    group: async () => ({
      isConsuming: true,
      committed: new Map(committed === undefined ? [] : [[0, committed]]),
      metadata: new Map(metadata === undefined ? [] : [[0, metadata]]),
    }),
  } as Partial<Log> as Log
}

it.each([
  ['nothing was committed', [20], undefined, undefined, []],
  ['the commit says how far scores are published', [20], 50, 'scores=40', [[0, 40]]],
  ['the topic was recreated, and ends before that', [20], 9_000, 'scores=9000', [[0, END]]],
  ['a tool moved the group: the last record before it counts', [20, 300], 900, undefined, [[0, 301]]],
  ['a tool moved the group to the end, behind markers', [20, 4_997], END, '', [[0, 4_998]]],
  ['a tool moved the group before the first record', [20], 15, undefined, [[0, 0]]],
  ['a tool moved the group to the beginning', [20], 0, undefined, [[0, 0]]],
])('reads how far scores are published: %s', async (_, offsets, committed, metadata, expected) => {
  const found = await readPublishedOffsets(logOf(offsets, committed, metadata), 'group', 'signals')
  expect([...found]).toEqual(expected)
})
