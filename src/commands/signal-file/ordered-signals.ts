import { stat } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { formatTime, grouped } from '../../console/format.ts'
import { UpswellError } from '../../lib/errors.ts'
import { quoted } from './shell-word.ts'
import { type LineWithSignal, openSignalFile, readSignalFile } from './signal-file.ts'
import type { LineOutOfOrder, Survey } from './survey.ts'

// How a file is read:
//
//   up to the bounds             once; sorted if it is out of order
//   beyond them, a file          twice: the first time only to look at it; refused if it is out of order
//   beyond them, another input   once, as it comes; refused at the first line that is out of order
//
// In order: no signal is older than an earlier one of its account. Accounts do not depend on each other.

/** How much of a file is kept in memory, to sort it. */
export interface MemoryBounds {
  readonly lines: number
  /** The bytes of these lines. */
  readonly bytes: number
}

/** Takes up to 500 MB of memory. */
export const MEMORY_BOUNDS: MemoryBounds = { lines: 500_000, bytes: 200_000_000 }

export interface OrderedSignals {
  /**
   * `as-is`: in the order of the file. `sorted`: by time; signals of the same time are in the order of the
   * file. `as-they-come`: as is, but the survey grows while they are read.
   */
  readonly order: 'as-is' | 'sorted' | 'as-they-come'
  /** @throws UpswellError INPUT_UNREADABLE: the input breaks off; INPUT_OUT_OF_ORDER */
  readonly lines: AsyncIterable<LineWithSignal> | Iterable<LineWithSignal>
  /** The number of the line that comes after this one. Sorted: undefined if this one is not a signal. */
  readonly numberAfter: (number: number) => number | undefined
}

export interface ReadOrdered {
  /** A file, or `-` for standard input. */
  readonly file: string
  /** The opened file. */
  readonly input: Readable
  /** It gets every line. */
  readonly survey: Survey
  /** Whether an account's signals must be in order of time. */
  readonly mustBeInOrder: boolean
  readonly bounds: MemoryBounds
  /** ms; undefined: `Date.now`. */
  readonly now?: () => number
  /** Gets the number of signals now and then, while the whole file is looked at. */
  readonly onProgress?: (signals: number) => void
}

/** Signals. */
const PROGRESS_STEP = 1000

/**
 * Reads a file of signals, and gives its signals in an order that is right for the accounts.
 * @throws UpswellError INPUT_UNREADABLE: it breaks off; INPUT_OUT_OF_ORDER: it is too large to be sorted here
 */
export async function readOrdered(options: ReadOrdered): Promise<OrderedSignals> {
  const { file, input, survey, mustBeInOrder, bounds } = options
  const isFile = file !== '-' && (await stat(file)).isFile()
  const read = readSignalFile(input, file, options.now)
  const kept: LineWithSignal[] = []
  let keptBytes = 0
  let fits = true
  // Standard input that need not be sorted is not kept: it may never end.
  if (!isFile && !mustBeInOrder) return asTheyCome(options, kept, read)
  for (let next = await read.next(); next.done !== true; next = await read.next()) {
    const line = next.value
    survey.add(line)
    if (survey.signals % PROGRESS_STEP === 0) options.onProgress?.(survey.signals)
    if (line.type === 'rejected' || !fits) continue
    kept.push(line)
    keptBytes += line.bytes
    if (kept.length <= bounds.lines && keptBytes <= bounds.bytes) continue
    if (!isFile) {
      if (survey.firstOutOfOrder !== undefined) throw outOfOrder(options, survey.firstOutOfOrder)
      return asTheyCome(options, kept, read)
    }
    fits = false
    kept.length = 0
  }
  const isInOrder = !mustBeInOrder || survey.firstOutOfOrder === undefined
  if (!fits) {
    if (!isInOrder) throw outOfOrder(options, survey.firstOutOfOrder!)
    const { bytesRead } = input as Readable & { readonly bytesRead: number }
    return { order: 'as-is', lines: readAgain(options, bytesRead), numberAfter }
  }
  if (isInOrder) return { order: 'as-is', lines: kept, numberAfter }
  // The sort is stable.
  kept.sort((a, b) => a.signal.occurredAt - b.signal.occurredAt)
  return {
    order: 'sorted',
    lines: kept,
    numberAfter: number => {
      const index = kept.findIndex(line => line.number === number)
      return index < 0 ? undefined : (kept[index + 1]?.number ?? survey.lines + 1)
    },
  }
}

function numberAfter(number: number): number {
  return number + 1
}

function asTheyCome(
  options: ReadOrdered,
  begun: readonly LineWithSignal[],
  rest: ReturnType<typeof readSignalFile>,
): OrderedSignals {
  const { survey, mustBeInOrder } = options
  async function* lines(): AsyncGenerator<LineWithSignal> {
    yield* begun
    for await (const line of rest) {
      survey.add(line)
      if (line.type === 'rejected') continue
      const { firstOutOfOrder } = survey
      if (mustBeInOrder && firstOutOfOrder !== undefined) throw outOfOrder(options, firstOutOfOrder, '')
      yield line
    }
  }
  return { order: 'as-they-come', lines: lines(), numberAfter }
}

/** @throws UpswellError INPUT_UNREADABLE: the file is another one than before */
async function* readAgain({ file, survey, now }: ReadOrdered, bytes: number): AsyncGenerator<LineWithSignal> {
  let signals = 0
  let lines = 0
  for await (const line of readSignalFile(await openSignalFile(file, bytes), file, now)) {
    lines = line.number
    if (line.type === 'rejected') continue
    signals++
    yield line
  }
  if (signals === survey.signals && lines === survey.lines) return
  throw new UpswellError(
    'INPUT_UNREADABLE',
    `${file} changed while it was read: it had ${survey.signals} signals and now has ${signals}; send a file that nothing writes to`,
  )
}

function outOfOrder(
  { file, bounds }: ReadOrdered,
  found: LineOutOfOrder,
  advice = `; sort them by time first: ${sortCommand(file)}`,
): UpswellError {
  const { number, accountId, occurredAt, newer } = found
  return new UpswellError(
    'INPUT_OUT_OF_ORDER',
    `${file}:${number} occurred at ${formatTime(occurredAt)}, before line ${newer.number} (${formatTime(newer.occurredAt)}) of the same account ${JSON.stringify(accountId)}; ` +
      `the signals of an account are accepted oldest first, and in any order up to ${grouped(bounds.lines)} lines and ${grouped(bounds.bytes / 1e6)} MB${advice}`,
  )
}

/**
 * A shell command that sorts a file of any size by `occurredAt`, if all times end in `Z`. It keeps lines that
 * are not JSON. `fromLine`: it leaves out the lines before.
 */
export function sortCommand(file: string, fromLine = 1): string {
  const name = file === '-' ? 'FILE' : quoted(file)
  const lines = file.endsWith('.gz') ? `zcat ${name}` : `cat ${name}`
  const rest = fromLine === 1 ? '' : ` | tail -n +${fromLine}`
  const key = `'"\\(try (fromjson | .occurredAt | rtrimstr("Z")) catch "")\\t\\(.)"'`
  return `${lines}${rest} | jq -rR ${key} | LC_ALL=C sort -s -k1,1 | cut -f2- > sorted.jsonl`
}
