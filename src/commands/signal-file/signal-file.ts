import { createReadStream } from 'node:fs'
import { pipeline, type Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { describeError, UpswellError } from '../../lib/errors.ts'
import { parseSignal } from '../../signals/parse-signal.ts'
import type { Signal } from '../../signals/signal.ts'

/** A line of a file that is a signal. */
export interface LineWithSignal {
  readonly type: 'signal'
  /** Counted from 1, with blank lines. */
  readonly number: number
  readonly bytes: number
  readonly signal: Signal
}

/** A line or record that is no signal, and why. */
export interface RejectedLine {
  readonly type: 'rejected'
  readonly where: string
  readonly why: string
}

export type SignalLine = LineWithSignal | (RejectedLine & { readonly number: number })

/**
 * Opens FILE.jsonl, FILE.jsonl.gz or, for `-`, standard input. `bytes`: what comes after them is not read.
 * @throws UpswellError INPUT_UNREADABLE
 */
export async function openSignalFile(file: string, bytes = Number.POSITIVE_INFINITY): Promise<Readable> {
  if (file === '-') return process.stdin
  const input = createReadStream(file, { end: bytes - 1 })
  await new Promise<void>((resolve, reject) => {
    input.once('readable', () => resolve())
    // Later errors reach the reader of the stream; this listener then does nothing.
    input.on('error', error => reject(unreadable(file, error)))
  })
  return input
}

/** The name of an input for messages. */
export function nameOf(file: string): string {
  return file === '-' ? 'standard input' : file
}

/**
 * The lines of an opened file in order; blank lines are skipped. `now`: a signal that is further ahead than
 * clocks may differ is rejected.
 * @throws UpswellError INPUT_UNREADABLE: the file breaks off
 */
export async function* readSignalFile(
  input: Readable,
  file: string,
  now: () => number = Date.now,
): AsyncGenerator<SignalLine> {
  let number = 0
  // An error on the way destroys the last stream, and that is the one read here.
  const unpacked = file.endsWith('.gz') ? pipeline(input, createGunzip(), () => {}) : input
  const failure = (error: unknown) => unreadable(`${file} after line ${number}`, error)
  for await (const line of readLines(unpacked, failure)) {
    number++
    if (line.length <= KEPT_LINE_BYTES && isBlank(line)) continue
    const parsed = parseSignal(line, { observedAt: now(), defaultKind: undefined, place: 'edge' })
    if ('signal' in parsed) yield { type: 'signal', number, bytes: line.length, signal: parsed.signal }
    else {
      const { code, detail } = parsed.rejection
      yield { type: 'rejected', number, where: `${file}:${number}`, why: `${code}: ${detail}` }
    }
  }
}

function unreadable(what: string, error: unknown): UpswellError {
  return new UpswellError('INPUT_UNREADABLE', `cannot read ${what}: ${describeError(error)}`, {
    cause: error,
  })
}

const NEWLINE = 0x0a
/** A longer line is no signal. The rest of it is not kept, so that a file without line breaks fits. */
const KEPT_LINE_BYTES = 2_000_000

/**
 * Lines as bytes: decoding them here would silently change bytes that are not UTF-8.
 * @throws the error that `failure` makes when the input breaks off
 */
async function* readLines(input: Readable, failure: (error: unknown) => Error): AsyncGenerator<Buffer> {
  let begun: Buffer[] = []
  let bytes = 0
  try {
    for await (const chunk of input as AsyncIterable<Buffer>) {
      let start = 0
      for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
        yield Buffer.concat([...begun, chunk.subarray(start, end)])
        begun = []
        bytes = 0
        start = end + 1
      }
      if (bytes <= KEPT_LINE_BYTES) begun.push(chunk.subarray(start))
      bytes += chunk.length - start
    }
  } catch (error) {
    throw failure(error)
  }
  yield Buffer.concat(begun)
}

function isBlank(line: Buffer): boolean {
  return line.every(byte => byte === 0x20 || byte === 0x09 || byte === 0x0d)
}

/** So many rejected lines are printed; further ones are only counted. */
const PRINTED_LINES = 20

/** Counts the rejected lines of a file, and keeps the first ones to print them. */
export class RejectedLines {
  #count = 0
  readonly #first: string[] = []

  get count(): number {
    return this.#count
  }

  add({ where, why }: RejectedLine): void {
    if (++this.#count <= PRINTED_LINES) this.#first.push(`${where}: ${why}`)
  }

  print(printLine: (line: string) => void): void {
    for (const line of this.#first) printLine(line)
    if (this.#count > this.#first.length) printLine(`… and ${this.#count - this.#first.length} more lines`)
  }
}
