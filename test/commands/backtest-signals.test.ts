import { expect, test } from 'vitest'
import { signalsOfLog } from '../../src/commands/model/backtest-signals.ts'
import type { Log, LogRecord, OutgoingRecord } from '../../src/log/log.ts'
import { partitionOf } from '../../src/log/partition-of.ts'
import { liveRecord, modelsRecord, signalRecord, tickRecord } from '../../src/log/signals-topic-records.ts'
import type { Signal } from '../../src/signals/signal.ts'
import { logRecord } from '../support/log-record.ts'

const SLICE = { slice: 0, of: 1, scope: 'due' } as const

function signal(id: string): Signal {
  return {
    id,
    kind: 'usage',
    name: 'feature.a',
    accountId: 'acme',
    userId: undefined,
    quantityThousandths: 1000,
    properties: {},
    occurredAt: 1000,
  }
}

/** Reads the records of one partition; a few words for each item. */
const read = (...records: readonly OutgoingRecord[]): Promise<string[]> => readOf(1, records)

async function readOf(count: number, records: readonly OutgoingRecord[]): Promise<string[]> {
  const readAll = async function* (topic: string): AsyncGenerator<LogRecord> {
    for (const [offset, record] of records.entries()) yield logRecord(0, offset, { ...record, topic })
  }
  const partitions = async (): Promise<number> => count
  const words: string[] = []
  for await (const item of signalsOfLog({ readAll, partitions } as unknown as Log, 't')) {
    if (item.type === 'signal') words.push(`${item.signal.id} at ${item.timestamp}`)
    else if (item.type === 'time') words.push(`time ${item.time}`)
    else words.push(`${item.where} ${item.why.split(':')[0]}`)
  }
  return words
}

const wallTick = (time: number): OutgoingRecord => tickRecord('t', 0, time, { ...SLICE, clock: 'wall' })

test('ignores ticks of the wall clock amid loaded history, until a live signal or a live record ends it', async () => {
  expect(
    await read(
      wallTick(1),
      signalRecord('t', signal('old'), 0, 'event'),
      wallTick(9000),
      tickRecord('t', 0, 1500, { ...SLICE, clock: 'event' }),
      liveRecord('t', 0),
      wallTick(9001),
      signalRecord('t', signal('older'), 0, 'event'),
      signalRecord('t', signal('new'), 9002),
      wallTick(9003),
    ),
  ).toEqual(['time 1', 'old at 1000', 'time 1500', 'time 9001', 'older at 1000', 'new at 9002', 'time 9003'])
})

test('skips records of models, also those that this version cannot read', async () => {
  const models = modelsRecord('t', 0, 5000, [{ file: 'm.yaml', text: 'id: from-another-age' }])
  expect(await read(models, signalRecord('t', signal('a'), 2000))).toEqual(['a at 2000'])
})

test('reports records that are not signals with their offsets', async () => {
  const record = signalRecord('t', signal('a'), 2000)
  expect(await read(record, { ...record, key: 'other' }, { ...record, value: '{' })).toEqual([
    'a at 2000',
    't 0:1 key-mismatch',
    expect.stringMatching(/^t 0:2 /),
  ])
})

test('names a signal that was rejected since it is in a wrong partition', async () => {
  const records = [signalRecord('t', signal('e-1'), 1000)]
  expect(await readOf(1, records)).toEqual(['e-1 at 1000'])
  const count = [2, 3, 5, 7, 11].find(partitions => partitionOf('acme', partitions) !== 0)!
  expect(await readOf(count, records)).toEqual(['t 0:0 wrong-partition'])
})
