import { describe, expect, test } from 'vitest'
import { openEmbeddedBackend } from '../../../src/app/embedded-backend.ts'
import { UpswellError } from '../../../src/lib/errors.ts'
import type { Log, LogRecord } from '../../../src/log/log.ts'
import { modelsRecord } from '../../../src/log/signals-topic-records.ts'
import { ModelLibrary } from '../../../src/models/model-library.ts'
import { encodeAccount } from '../../../src/scoring/codec/codec.ts'
import { GROWTH } from '../../api/world.ts'
import { foldPlainly } from '../../support/simulation/plain-fold.ts'
import { temporaryFolder } from '../cli.ts'
import { fileOf, interrupt, printedFromLine, runLoad, signalAt } from './run-load.ts'

const PARTITIONS = 2
const SIGNALS = Array.from({ length: 60 }, (_, i) => signalAt(59 - i, `account-${i % 7}`))
/** Six batches of 10 signals, then the end of history in each partition. */
const APPENDS = 6 + PARTITIONS

/** Opens an embedded log with active models in a new folder, and returns what `use` does with it. */
async function withLog<Result>(use: (log: Log) => Promise<Result>): Promise<Result> {
  const directory = await temporaryFolder()
  const backend = await openEmbeddedBackend({ directory, partitions: PARTITIONS })
  try {
    const at = Date.parse('2025-02-01T00:00:00Z')
    const models = [{ file: 'growth', text: GROWTH }]
    await backend.log.append([0, 1].map(partition => modelsRecord('signals', partition, at, models)))
    return await use(backend.log)
  } finally {
    await backend.close()
  }
}

/** The accounts and events of a log, without the offsets. */
async function folded(log: Log) {
  const partitions: LogRecord[][] = [[], []]
  for await (const record of log.readAll('signals')) partitions[record.partition]!.push(record)
  const library = new ModelLibrary()
  return partitions.map(records => {
    const { accounts, events } = foldPlainly(records, library, partitions.length)
    return {
      events: events.map(({ event }) => event),
      accounts: [...accounts.values()].map(account => encodeAccount({ ...account, lastOffset: 0 })),
    }
  })
}

/** The same log; `before` is called before the append with this number. */
function withAppend(
  log: Log,
  number: number,
  before: (append: () => Promise<unknown>) => Promise<void>,
): Log {
  let appends = 0
  const append: Log['append'] = async records => {
    if (appends++ === number) await before(() => log.append(records))
    return log.append(records)
  }
  return {
    append,
    partitions: topic => log.partitions(topic),
    ranges: topic => log.ranges(topic),
    read: (topic, stretches) => log.read(topic, stretches),
  } as Log
}

const WAYS = {
  'is stopped': async () => interrupt(),
  'is refused': async () => {
    throw new UpswellError('LOG_UNAVAILABLE', 'the log is away')
  },
  'is written, but not answered': async (append: () => Promise<unknown>) => {
    await append()
    throw new UpswellError('LOG_UNAVAILABLE', 'the log is away')
  },
}

describe.each(Object.entries(WAYS))('a load whose append %s', (how, before) => {
  test('goes on to the same accounts and events as one that does not break off', async () => {
    const file = await fileOf(SIGNALS)
    const expected = await withLog(async log => {
      await runLoad(log, file, { afterwards: 'live' })
      return folded(log)
    })
    expect(expected.flatMap(({ events }) => events).length).toBeGreaterThan(0)
    // A stop in the last appends comes too late to break anything off.
    const breaking = how === 'is stopped' ? APPENDS - PARTITIONS : APPENDS
    for (let number = 0; number < breaking; number++) {
      const found = await withLog(async log => {
        const broken = await runLoad(withAppend(log, number, before), file, { afterwards: 'live' })
        expect(broken.stderr).toMatch(/--from-line|Nothing was sent/)
        const fromLine = broken.stderr.includes('--from-line') ? printedFromLine(broken) : undefined
        expect((await runLoad(log, file, { afterwards: 'live', fromLine })).code).toBe(0)
        return folded(log)
      })
      expect(found).toEqual(expected)
    }
  })
})
