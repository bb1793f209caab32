import { appendFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { type MemoryBounds, readOrdered } from '../../../src/commands/signal-file/ordered-signals.ts'
import { openSignalFile } from '../../../src/commands/signal-file/signal-file.ts'
import { Survey } from '../../../src/commands/signal-file/survey.ts'
import { temporaryFolder } from '../cli.ts'
import { fileOf, signalAt, type TestSignal } from './run-load.ts'

const ROOM: MemoryBounds = { lines: 1000, bytes: 1_000_000 }
const NO_ROOM: MemoryBounds = { lines: 3, bytes: 1_000_000 }

/** The number and id of each signal. */
async function read(
  file: string,
  bounds = ROOM,
  { mustBeInOrder = true, input = undefined as Readable | undefined, beforeLines = async () => {} } = {},
) {
  const survey = new Survey()
  const opened = input ?? (await openSignalFile(file))
  const { order, lines, numberAfter } = await readOrdered({
    file,
    input: opened,
    survey,
    mustBeInOrder,
    bounds,
  })
  await beforeLines()
  const numbers: number[] = []
  for await (const { number } of lines) numbers.push(number)
  return { order, numbers, numberAfter, survey }
}

function textOf(signals: readonly TestSignal[]): Buffer {
  return Buffer.from(signals.map(signal => `${JSON.stringify(signal)}\n`).join(''))
}

/** Standard input that brings these signals. */
function stream(signals: readonly TestSignal[]) {
  return { input: Readable.from([textOf(signals)]) }
}

const acme = (...hours: readonly number[]) => hours.map(hour => signalAt(hour, 'acme'))

describe('a file that fits', () => {
  test('in order stays as it is', async () => {
    const { order, numbers } = await read(await fileOf(acme(1, 2, 2, 3)))
    expect([order, numbers]).toEqual(['as-is', [1, 2, 3, 4]])
  })

  test('is sorted by time, and signals of the same time keep their order', async () => {
    const { order, numbers, numberAfter } = await read(
      await fileOf([...acme(5, 3, 5), 'x', '', ...acme(3, 4)]),
    )
    expect([order, numbers]).toEqual(['sorted', [2, 6, 7, 1, 3]])
    expect([2, 6, 7, 1, 3, 4].map(numberAfter)).toEqual([6, 7, 1, 3, 8, undefined])
  })

  test('is in order if each account is: files that are grouped by account stay as they are', async () => {
    const lines = [...acme(5, 6), signalAt(1, 'globex'), signalAt(7, 'globex'), ...acme(6)]
    expect(await read(await fileOf(lines))).toMatchObject({ order: 'as-is', numbers: [1, 2, 3, 4, 5] })
  })

  test('need not be in order for the wall clock', async () => {
    const { order, numbers } = await read(await fileOf(acme(3, 2, 1)), ROOM, { mustBeInOrder: false })
    expect([order, numbers]).toEqual(['as-is', [1, 2, 3]])
  })

  test('from standard input is sorted too', async () => {
    expect(await read('-', ROOM, stream(acme(3, 1, 2)))).toMatchObject({
      order: 'sorted',
      numbers: [2, 3, 1],
    })
  })

  test('in a packed file is sorted too', async () => {
    const file = join(await temporaryFolder(), 'history.jsonl.gz')
    await writeFile(file, gzipSync(textOf(acme(3, 1, 2))))
    expect(await read(file)).toMatchObject({ order: 'sorted', numbers: [2, 3, 1] })
  })

  test('out of order: the survey counts such lines, and knows the first one', async () => {
    const { survey } = await read(await fileOf(acme(3, 1, 2)))
    expect(survey.firstOutOfOrder).toMatchObject({ number: 2, newer: { number: 1 } })
    expect([survey.outOfOrder, survey.signals, survey.accounts]).toEqual([2, 3, 1])
  })
})

describe('a file that does not fit', () => {
  test('in order is read twice, packed or not', async () => {
    const lines = acme(1, 2, 3, 4, 5)
    expect(await read(await fileOf(lines), NO_ROOM)).toMatchObject({
      order: 'as-is',
      numbers: [1, 2, 3, 4, 5],
    })
    const file = join(await temporaryFolder(), 'history.jsonl.gz')
    await writeFile(file, gzipSync(textOf(lines)))
    expect(await read(file, NO_ROOM)).toMatchObject({ order: 'as-is', numbers: [1, 2, 3, 4, 5] })
  })

  test('because of its bytes', async () => {
    const bounds = { lines: 1000, bytes: 300 }
    await expect(read(await fileOf(acme(3, 2, 1)), bounds)).rejects.toMatchObject({
      code: 'INPUT_OUT_OF_ORDER',
    })
  })

  test('out of order is refused before anything is sent, with the line, both times, and a command', async () => {
    const file = await fileOf([...acme(1, 2, 5, 4), signalAt(0, 'globex'), ...acme(3)])
    await expect(read(file, NO_ROOM)).rejects.toThrow(
      `${file}:4 occurred at 2025-03-01T04:00:00Z, before line 3 (2025-03-01T05:00:00Z) of the same account "acme"; ` +
        'the signals of an account are accepted oldest first, and in any order up to 3 lines and 1 MB; ' +
        `sort them by time first: cat ${file} | jq -rR '"\\(try (fromjson | .occurredAt | rtrimstr("Z")) catch "")\\t\\(.)"' | LC_ALL=C sort -s -k1,1 | cut -f2- > sorted.jsonl`,
    )
  })

  test('may be out of order for the wall clock', async () => {
    const wall = { mustBeInOrder: false }
    expect(await read(await fileOf(acme(5, 4, 3, 2, 1)), NO_ROOM, wall)).toMatchObject({
      order: 'as-is',
      numbers: [1, 2, 3, 4, 5],
    })
  })

  test('is read up to where it ended at first, if more is appended meanwhile', async () => {
    const file = await fileOf(acme(1, 2, 3, 4, 5))
    const beforeLines = () => appendFile(file, textOf(acme(0)))
    expect(await read(file, NO_ROOM, { beforeLines })).toMatchObject({ numbers: [1, 2, 3, 4, 5] })
  })

  test('that changes meanwhile is not a success', async () => {
    const file = await fileOf(acme(1, 2, 3, 4, 5))
    const beforeLines = () => writeFile(file, textOf(acme(1, 2)))
    await expect(read(file, NO_ROOM, { beforeLines })).rejects.toThrow(
      /changed while it was read: it had 5 signals and now has 2/,
    )
  })
})

describe('standard input that does not fit', () => {
  test('comes as it is', async () => {
    const { order, numbers, survey } = await read('-', NO_ROOM, stream(acme(1, 2, 3, 4, 5)))
    expect([order, numbers, survey.signals]).toEqual(['as-they-come', [1, 2, 3, 4, 5], 5])
  })

  test('is refused at the first line that is out of order', async () => {
    const survey = new Survey()
    const { input } = stream(acme(1, 2, 3, 4, 5, 3, 6))
    const { lines } = await readOrdered({ file: '-', input, survey, mustBeInOrder: true, bounds: NO_ROOM })
    const numbers: number[] = []
    const reading = (async () => {
      for await (const { number } of lines) numbers.push(number)
    })()
    await expect(reading).rejects.toThrow(/^-:6 occurred at 2025-03-01T03:00:00Z, before line 5 \(/)
    expect(numbers).toEqual([1, 2, 3, 4, 5])
  })

  test('is refused before anything is sent, if the beginning is out of order', async () => {
    await expect(read('-', NO_ROOM, stream(acme(2, 1, 3, 4, 5)))).rejects.toThrow(/^-:2 occurred at /)
  })

  test('is not kept at all for the wall clock: it may never end', async () => {
    const { order } = await read('-', ROOM, { ...stream(acme(2, 1)), mustBeInOrder: false })
    expect(order).toBe('as-they-come')
  })
})
