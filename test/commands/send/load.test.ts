import { describe, expect, test } from 'vitest'
import { ReadNames, UnreadNames } from '../../../src/analysis/unread-names.ts'
import { Survey } from '../../../src/commands/signal-file/survey.ts'
import { modelsRecord, tickRecord } from '../../../src/log/signals-topic-records.ts'
import { ModelLibrary } from '../../../src/models/model-library.ts'
import { encodeAccount } from '../../../src/scoring/codec/codec.ts'
import { HISTORY_DUE } from '../../../src/scoring/history.ts'
import { GROWTH } from '../../api/world.ts'
import { MemoryStore } from '../../support/memory-store.ts'
import { foldPlainly } from '../../support/simulation/plain-fold.ts'
import { MemoryLog } from './memory-log.ts'
import {
  fileOf,
  interrupt,
  noteExit,
  printedFromLine,
  runLoad,
  signalAt,
  type TestSignal,
} from './run-load.ts'

const ACCOUNTS = ['acme', 'globex', 'initech']
/** A hundred hours of three accounts, in order of time. */
const SIGNALS = Array.from({ length: 100 }, (_, hour) => signalAt(hour, ACCOUNTS[hour % 3]))
const NEWEST_FIRST = SIGNALS.toReversed()

/** The values of the log's signals, by partition. */
function signalsIn({ partitions }: MemoryLog): string[][] {
  return partitions.map(records =>
    records
      .filter(({ key }) => key !== null)
      .map(({ value }) => (JSON.parse(String(value)) as TestSignal).id),
  )
}

/** The accounts and events of both partitions. The offset of the last record may differ. */
function folded({ partitions }: MemoryLog) {
  const library = new ModelLibrary()
  return partitions.map(records => {
    const { accounts, events } = foldPlainly(records, library, 2)
    return {
      events: events.map(({ event }) => event),
      accounts: [...accounts.values()].map(account => encodeAccount({ ...account, lastOffset: 0 })),
    }
  })
}

/** The slices that the records without a key name, in all partitions. */
function slicesIn({ partitions }: MemoryLog): number[] {
  return partitions.flat().flatMap(({ key, value }) => {
    const { of, slices } = key === null ? JSON.parse(String(value)) : {}
    return of ?? slices ?? []
  })
}

/** A log with active models. */
function logWithModels(): MemoryLog {
  const memory = new MemoryLog()
  const at = Date.parse('2025-02-01T00:00:00Z')
  memory.add(
    [0, 1].map(partition => modelsRecord('signals', partition, at, [{ file: 'growth', text: GROWTH }])),
  )
  return memory
}

async function unbroken(lines: readonly (string | object)[], afterwards: 'stay' | 'live' = 'stay') {
  const memory = logWithModels()
  const ran = await runLoad(memory.log, await fileOf(lines), { afterwards })
  return { memory, ran }
}

describe('the order of history', () => {
  test('newest first gives the same log as oldest first', async () => {
    const { memory } = await unbroken(SIGNALS)
    const newestFirst = await unbroken(NEWEST_FIRST)
    expect(newestFirst.memory.partitions).toEqual(memory.partitions)
    expect(folded(memory).flatMap(({ events }) => events).length).toBeGreaterThan(0)
    expect(newestFirst.ran.stderr).toContain(
      'history.jsonl is not in order of time (line 4 is older than line 1 of its account): its signals are sent sorted by time.\n',
    )
  })

  test('one line of today among old ones changes no other account', async () => {
    const today = signalAt(10_000, 'acme')
    const lines = [today, ...SIGNALS]
    const { memory, ran } = await unbroken(lines)
    expect(signalsIn(memory)).toEqual(signalsIn((await unbroken([...SIGNALS, today])).memory))
    expect(ran.stderr).toContain(
      'warning: the newest signal comes 411 days after all others (see line 1): in the end all accounts that are not live are as of 2026-04-21T16:00:00Z\n',
    )
  })

  test('the end of a load has slices for the accounts that earlier loads left in history', async () => {
    const file = await fileOf(SIGNALS.slice(0, 3))
    const alone = new MemoryLog()
    await runLoad(alone.log, file, { afterwards: 'live' })
    expect(slicesIn(alone)).toEqual([1, 1, 1, 1])
    const store = new MemoryStore()
    await store.claimPartitions(2)
    // In each of the two partitions.
    store.countDue = async (_, upTo, from) =>
      from === HISTORY_DUE.from && upTo === HISTORY_DUE.upTo ? 499 : 0
    const after = new MemoryLog()
    await runLoad(after.log, file, { afterwards: 'live' }, { store })
    expect(new Set(slicesIn(after))).toEqual(new Set([4]))
    expect(slicesIn(after)).toHaveLength(10)
  })

  test('signals of the wall clock stay in the order of the file', async () => {
    const memory = logWithModels()
    await runLoad(memory.log, await fileOf(NEWEST_FIRST), { clock: 'wall' })
    expect(signalsIn(memory).map(ids => ids[0])).not.toEqual(
      signalsIn((await unbroken(SIGNALS)).memory).map(ids => ids[0]),
    )
  })
})

describe('a file without a signal', () => {
  const recordsOf = async (lines: readonly string[], afterwards: 'stay' | 'live') => {
    const memory = new MemoryLog()
    const ran = await runLoad(memory.log, await fileOf(lines), { afterwards })
    return { ran, records: memory.partitions.map(records => records.map(({ headers }) => headers)) }
  }

  test('ends history with --afterwards live', async () => {
    for (const lines of [[], ['', '  ']]) {
      const { ran, records } = await recordsOf(lines, 'live')
      const live = { 'upswell-record': Buffer.from('live') }
      expect(records).toEqual([[live], [live]])
      expect(ran).toMatchObject({ code: 0, stdout: 'Sent 0 signals to signals.\n' })
      expect(ran.stderr).toMatch(
        /history\.jsonl has no signals\.\nTime continues from now for all accounts that are in history\.\n$/,
      )
    }
  })

  test('does nothing with --afterwards stay', async () => {
    const { ran, records } = await recordsOf([], 'stay')
    expect(records).toEqual([[], []])
    expect(ran.stderr).toMatch(/history\.jsonl has no signals\.\n$/)
  })

  test('does nothing if it has wrong lines: it is sent again when they are right', async () => {
    const { ran, records } = await recordsOf(['no signal'], 'live')
    expect(records).toEqual([[], []])
    expect(ran.code).toBe(1)
    expect(ran.stderr).not.toContain('Time continues')
  })
})

describe('what send says', () => {
  test('before: how much, of when, where to, how', async () => {
    const { ran } = await unbroken(SIGNALS)
    expect(ran.stderr).toMatch(
      /^100 signals of 3 accounts in \S+history\.jsonl, from 2025-03-01T00:00:00Z to 2025-03-05T03:00:00Z, go to topic signals in the log\. They are history: each is observed when it occurred\. Accounts that are not live then stay as of 2025-03-05T03:00:00Z, each until its first live signal\.\n$/,
    )
    expect(ran.stdout).toBe('Sent 100 signals to signals.\n')
    const live = await unbroken(SIGNALS, 'live')
    expect(live.ran.stderr).toContain('Then time continues from now.\n')
  })

  test('after: what is late, dropped, or a duplicate', async () => {
    const { ran } = await unbroken([...SIGNALS, signalAt(98, 'initech'), signalAt(99, 'acme', 's-0')])
    expect(ran.stdout).toBe(
      'Sent 102 signals to signals.\n' +
        'As far as the file shows: 1 duplicate (their account had the same id within 48 hours, and counts it once).\n',
    )
  })

  test('signals of the wall clock are observed at the time of the given clock', async () => {
    const memory = new MemoryLog()
    const now = Date.parse('2025-03-02T00:00:00Z')
    const lines = [signalAt(0), signalAt(24.1, 'acme'), signalAt(24.2, 'acme')]
    const ran = await runLoad(memory.log, await fileOf(lines), { clock: 'wall' }, { now: () => now })
    const times = memory.partitions.flat().map(({ timestamp }) => timestamp)
    expect(times).toEqual([now, Date.parse(lines[1]!.occurredAt)])
    expect(ran.stdout).toContain('As far as the file shows: 1 late')
    // 12 minutes ahead of that clock.
    expect(ran.stderr).toMatch(/history\.jsonl:3: in-the-future: /)
  })

  test('accounts that are ahead of their signals in the file', async () => {
    const memory = logWithModels()
    await runLoad(memory.log, await fileOf(SIGNALS))
    const library = new ModelLibrary()
    const bytes = new Map(
      memory.partitions
        .flatMap(records => [...foldPlainly(records, library, 2).accounts])
        .map(([id, account]) => [id, encodeAccount(account)]),
    )
    const store = {
      partitions: async () => 2,
      load: async (_: number, ids: readonly string[]) => ids.map(id => bytes.get(id)),
      countDue: async () => 0,
    }
    // The log ends on 5 March: these are as new as that, older, of an unknown account, and out of order.
    const lines = [
      signalAt(99, 'acme', 'new'),
      signalAt(95, 'globex', 'old'),
      signalAt(0, 'unknown', 'first'),
      signalAt(99, 'initech', 'last'),
      signalAt(40, 'initech', 'older'),
    ]
    const said =
      'warning: 2 of 4 accounts have newer signals already: older signals of this file are late. They count, but publish no tier changes of the past; see '
    const run = async (options: object) =>
      (await runLoad(new MemoryLog().log, await fileOf(lines), options, { store })).stderr
    expect(await run({})).toContain(said)
    expect(await run({ clock: 'wall' })).not.toContain('newer signals')
    // A store that is away.
    const away = { ...store, partitions: () => Promise.reject(new Error('away')) }
    const ran = await runLoad(new MemoryLog().log, await fileOf(lines), {}, { store: away })
    expect(ran).toMatchObject({ code: 0, stdout: expect.stringContaining('Sent 5 signals') })
    expect(ran.stderr).not.toContain('newer signals')
  })

  test('signals of 400 days ago or more need --clock event', async () => {
    const now = Date.now()
    const daysAgo = (days: number, id: string) => ({
      ...signalAt(0, 'acme', id),
      occurredAt: new Date(now - days * 86_400_000).toISOString(),
    })
    const lines = [daysAgo(500, 'a'), daysAgo(400, 'b'), daysAgo(399, 'c'), daysAgo(0, 'd'), daysAgo(0, 'd')]
    const ran = await runLoad(new MemoryLog().log, await fileOf(lines), { clock: 'wall' })
    expect(ran.stderr).toContain(
      'warning: 2 signals occurred 400 days ago or earlier, and will not count; to load history, use --clock event\n',
    )
    expect(ran.stdout).toContain(
      '1 late (from an earlier UTC day), 2 dropped (400 days old or older), 1 duplicate (',
    )
  })

  test('names that no model reads', async () => {
    const model = new ModelLibrary().compile({ file: 'growth', text: GROWTH })
    const survey = new Survey(new UnreadNames(new ReadNames([model])))
    const lines = [
      { ...signalAt(0), name: 'seat.invtied' },
      { ...signalAt(1), name: 'seat.invtied' },
      { ...signalAt(2), kind: 'traits', properties: { seats: 3, 'a\u202eb': 1 } },
      // Refused, without the characters that a terminal would obey.
      { ...signalAt(4), kind: 'traits', properties: { '\u001b[2J': 1 } },
      signalAt(3),
    ]
    const { stderr } = await runLoad(new MemoryLog().log, await fileOf(lines), {}, { survey })
    expect(stderr).toContain(
      'warning: no active model reads these names (only users, teams, locations, products and roles of such signals may count); check the spelling:\n' +
        '  usage:seat.invtied  2 signals; did you mean usage:seat.invited?\n',
    )
    expect(stderr).toMatch(/\n {2}traits\.seats\s+1 signal; did you mean contract\.seats\?\n/)
    // It would turn the direction of writing.
    expect(stderr).not.toContain('\u202e')
    expect(stderr).not.toContain('\u001b')
  })
})

/** A service that runs appends such ticks. While history is loaded they do nothing. */
function passTime(memory: MemoryLog): void {
  const at = Date.parse('2025-12-01T00:00:00Z')
  const slice = { slice: 0, of: 1, scope: 'due', clock: 'wall' } as const
  memory.add([0, 1].map(partition => tickRecord('signals', partition, at, slice)))
}

describe('a load that breaks off', () => {
  /** Sends the file; the append fails so. Then does what the output says. */
  async function breakOff(
    lines: readonly (string | object)[],
    at: number,
    how: 'written, but not answered' | 'not written' | 'stop',
  ) {
    const memory = logWithModels()
    const file = await fileOf(lines)
    memory.onAppend = i => {
      if (i !== at) return 'answered'
      if (how !== 'stop') return how
      interrupt()
      return 'answered'
    }
    const broken = await runLoad(memory.log, file, { afterwards: 'live' })
    memory.onAppend = () => 'answered'
    passTime(memory)
    const resumed = await runLoad(memory.log, file, { afterwards: 'live', fromLine: printedFromLine(broken) })
    return { memory, broken, resumed }
  }

  const MIXED = [...SIGNALS.slice(50).toReversed(), 'not a signal', '', ...SIGNALS.slice(0, 50)]

  // Batches of 10: the appends 0 to 9 are signals, 10 and 11 are the end of history in each partition.
  describe.each([
    ['in order', SIGNALS],
    ['newest first', NEWEST_FIRST],
    ['mixed', MIXED],
  ])('%s', (_, lines) => {
    test.each([
      [0, 'written, but not answered'],
      [3, 'written, but not answered'],
      [3, 'not written'],
      [3, 'stop'],
      [9, 'stop'],
      [10, 'written, but not answered'],
      [10, 'not written'],
      [11, 'written, but not answered'],
      [11, 'not written'],
    ] as const)(
      'append %i: %s; it goes on to the same accounts as one that does not break off',
      async (at, how) => {
        const expected = await unbroken(lines, 'live')
        const { memory, broken, resumed } = await breakOff(lines, at, how)
        expect(broken.code).toBe(how === 'stop' ? 130 : undefined)
        expect(resumed.code).toBe(expected.ran.code)
        expect(signalsIn(memory)).toEqual(signalsIn(expected.memory))
        // With --afterwards live, time passes now.
        passTime(memory)
        passTime(expected.memory)
        expect(folded(memory)).toEqual(folded(expected.memory))
      },
    )
  })

  test('says the last line that is in the log, and the command that goes on', async () => {
    const { broken, resumed } = await breakOff(SIGNALS, 3, 'stop')
    expect(broken.stderr).toMatch(
      /\nLine 40 of (\S+) is the last one that is in the log\.\nTo go on:\n {2}upswell send \1 --clock event --afterwards live --batch-size 10 --from-line 41\n$/,
    )
    expect(broken.stdout).toBe('')
    expect(resumed.stderr).toContain('\nSending begins with line 41; the signals before it are skipped.\n')
    expect(resumed.stdout).toBe('Sent 60 signals to signals.\n')
  })

  test('says what may be in the log, and finds it there', async () => {
    const { broken, resumed } = await breakOff(SIGNALS, 3, 'written, but not answered')
    expect(broken.stderr).toContain('Line 30 of ')
    expect(broken.stderr).toContain(
      'The next 10 signals may be in the log: the write was not answered. The command below looks for them there, and does not send them twice.\n',
    )
    expect(broken.stderr).toMatch(/LOG_UNAVAILABLE: the broker is away\n$/)
    expect(resumed.stdout).toBe('Sent 60 signals to signals; 10 more were in the log already.\n')
  })

  test('sorted, it names lines of the file', async () => {
    const { broken } = await breakOff(NEWEST_FIRST, 3, 'stop')
    expect(broken.stderr).toContain(' is the last one in order of time that is in the log.\n')
    // The forty oldest are at the end of the file.
    expect(broken.stderr).toContain('Line 61 of ')
    expect(printedFromLine(broken)).toBe(60)
  })

  test('before anything is in the log, it says so', async () => {
    const memory = new MemoryLog()
    const ran = await runLoad(memory.log, await fileOf([]), { fromLine: 3 })
    expect(ran.stderr).toMatch(
      /^Nothing was sent\.\nINVALID_SETTINGS: --from-line is 3, but \S+ has only 0 lines; 1 to 1 is accepted\n$/,
    )
  })

  test('a second signal ends it at once, and says what is in the log', async () => {
    const codes = noteExit()
    const memory = new MemoryLog()
    memory.onAppend = i => {
      if (i === 2) {
        interrupt()
        interrupt()
      }
      return 'answered'
    }
    const ran = await runLoad(memory.log, await fileOf(SIGNALS))
    expect(codes).toEqual([130])
    expect(ran.stderr).toContain('Line 20 of ')
    expect(ran.stderr).toContain('The next 10 signals may be in the log')
  })
})

describe('--from-line', () => {
  test('skips the lines before it, and warns if the last one is not near the end of the log', async () => {
    const memory = new MemoryLog()
    const ran = await runLoad(memory.log, await fileOf(SIGNALS), { fromLine: 91 })
    expect(ran.stdout).toBe('Sent 10 signals to signals.\n')
    expect(ran.stderr).toContain(
      'warning: line 90 is skipped because of --from-line 91, but is not near the end of the log: was everything before line 91 sent?\n',
    )
  })

  test('warns too if it skips all lines', async () => {
    const ran = await runLoad(new MemoryLog().log, await fileOf(SIGNALS), { fromLine: 101 })
    expect(ran.stderr).toContain('warning: line 100 is skipped because of --from-line 101, but is not near')
  })

  test('counts duplicates of skipped lines, but not among them', async () => {
    const { memory } = await unbroken(SIGNALS)
    const again = [SIGNALS[0]!, ...SIGNALS, SIGNALS[99]!]
    const ran = await runLoad(memory.log, await fileOf(again), { fromLine: 102 })
    expect(ran.stdout).toContain('As far as the file shows: 1 duplicate (')
  })

  test('looks in the log only for the lines that it begins with', async () => {
    const { memory } = await unbroken(SIGNALS.slice(0, 40))
    const ran = await runLoad(memory.log, await fileOf([...SIGNALS, SIGNALS[99]!]), { fromLine: 31 })
    expect(ran.stdout).toContain('Sent 61 signals to signals; 10 more were in the log already.\n')
    const repeated = await runLoad(
      memory.log,
      await fileOf([...SIGNALS, SIGNALS[99]!, signalAt(100), SIGNALS[99]!]),
      {
        clock: 'wall',
        fromLine: 102,
      },
    )
    expect(repeated.stdout).toContain('Sent 2 signals to signals.\n')
  })

  test('ends the history of a file whose lines are all in the log', async () => {
    const { memory } = await unbroken(SIGNALS)
    const before = memory.partitions.map(({ length }) => length)
    const ran = await runLoad(memory.log, await fileOf(SIGNALS), { fromLine: 101 })
    expect(ran.stdout).toBe('Sent 0 signals to signals.\n')
    expect(memory.partitions.map(({ length }, i) => length - before[i]!)).toEqual([1, 1])
  })

  test.each([
    [102, /--from-line is 102, but \S+ has only 100 lines; 1 to 101 is accepted/],
    [1, undefined],
  ])('%i', async (fromLine, refusal) => {
    const memory = new MemoryLog()
    const ran = await runLoad(memory.log, await fileOf(SIGNALS), { fromLine })
    if (refusal === undefined) expect(ran.stdout).toBe('Sent 100 signals to signals.\n')
    else {
      expect(ran.stderr).toMatch(refusal)
      expect(memory.appends).toEqual([])
    }
  })

  test('of a file that is sorted, it sends nothing on a guess', async () => {
    const memory = new MemoryLog()
    const guess = await runLoad(memory.log, await fileOf(NEWEST_FIRST), { fromLine: 50 })
    expect(guess.stderr).toMatch(
      /Nothing was sent\.\nINVALID_SETTINGS: --from-line is 50, and in order of time line 51 comes before it, but is not near the end of the log \(the last 200,000 records of its partition\); /,
    )
    const blank = await runLoad(memory.log, await fileOf([...NEWEST_FIRST, '', 'x', signalAt(7)]), {
      fromLine: 102,
    })
    expect(blank.stderr).toMatch(/--from-line is 102, but that line of \S+ is not a signal; /)
    expect(memory.appends).toEqual([])
  })
})
