import { createReadStream } from 'node:fs'
import { pipeline, type Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { type Config, readConfig } from '../app/config.ts'
import { isEmbedded, openServed } from '../app/open-backend.ts'
import { loadSignals } from '../consumers/ingest/load-signals.ts'
import { describeError, UpswellError } from '../lib/errors.ts'
import { partitionOf } from '../log/partition-of.ts'
import { ModelLibrary } from '../models/model-library.ts'
import { parseSignal } from '../signals/parse-signal.ts'
import type { Signal } from '../signals/signal.ts'
import { lineLogger } from './line-logger.ts'
import { progressBar } from './progress-bar.ts'
import { isBlank, readLines } from './read-lines.ts'
import { claimWorkspace } from './workspace.ts'

export interface SendOptions {
  readonly clock: 'wall' | 'event'
  readonly afterwards: 'stay' | 'live'
  readonly batchSize: number
}

/** How many bad lines are told one by one. */
const LINES_TOLD = 20

/** Lines that are no signals. */
interface BadLines {
  count: number
  /** What is wrong with the first of them. */
  readonly told: string[]
}

/**
 * `upswell send FILE.jsonl[.gz]`: appends canonical signals to the log. Lines that are no signals are told and left out.
 * Returns the exit code: 0, or 1 if lines were left out.
 * @throws UpswellError INPUT_UNREADABLE, LOG_UNAVAILABLE, INVALID_SETTINGS
 */
export async function send(file: string, options: SendOptions): Promise<number> {
  const config = readConfig()
  const logger = lineLogger(config.logLevel)
  const input = await openInput(file)
  if (isEmbedded(config)) await claimWorkspace(config.dataDir)
  const backend = await openServed(config, logger, new ModelLibrary())
  const bar = progressBar('sending', 'signals')
  const bad: BadLines = { count: 0, told: [] }
  let sent = 0
  try {
    await warnWithoutModels(config, backend, logger.warn)
    const { until } = await loadSignals(readSignals(input, file, bad), {
      ...options,
      log: backend.log,
      topic: backend.topics.signals,
      now: Date.now,
      onProgress: count => {
        sent = count
        bar.update(count)
      },
    })
    bar.stop()
    tellBad(bad, logger.error)
    const leftOut = bad.count === 0 ? '' : `; ${count(bad.count, 'line')} left out, as no signals`
    process.stdout.write(`Sent ${count(sent, 'signal')} to ${backend.topics.signals}${leftOut}.\n`)
    if (options.clock === 'event' && options.afterwards === 'stay' && until !== undefined) {
      process.stdout.write(
        `They are history: scores stand as of ${new Date(until).toISOString()} until a live signal comes, or history is sent with --afterwards live.\n`,
      )
    }
    return bad.count === 0 ? 0 : 1
  } catch (error) {
    bar.stop()
    tellBad(bad, logger.error)
    if (sent > 0) logger.warn(`${count(sent, 'signal')} had been sent before this`)
    throw error
  } finally {
    await backend.close()
  }
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`
}

function tellBad({ count, told }: BadLines, tell: (line: string) => void): void {
  for (const line of told) tell(line)
  if (count > told.length) tell(`… and ${count - told.length} more lines`)
}

/** @throws UpswellError INPUT_UNREADABLE */
async function openInput(file: string): Promise<Readable> {
  if (file === '-') return process.stdin
  const input = createReadStream(file)
  await new Promise<void>((resolve, reject) => {
    input.once('readable', () => resolve())
    // From then on whoever reads is told.
    input.on('error', error => reject(unreadable(file, error)))
  })
  return input
}

function unreadable(what: string, error: unknown): UpswellError {
  return new UpswellError('INPUT_UNREADABLE', `cannot read ${what}: ${describeError(error)}`, {
    cause: error,
  })
}

/** @throws UpswellError INPUT_UNREADABLE: it breaks off */
async function* readSignals(input: Readable, file: string, bad: BadLines): AsyncGenerator<Signal> {
  let number = 0
  const failure = (error: unknown) => unreadable(`${file} beyond line ${number}`, error)
  // An error on the way destroys the last of the streams, which is the one that is read.
  const unpacked = file.endsWith('.gz') ? pipeline(input, createGunzip(), () => {}) : input
  for await (const line of readLines(unpacked, failure)) {
    number++
    if (isBlank(line)) continue
    const parsed = parseSignal(line, { observedAt: Date.now(), defaultKind: undefined })
    if ('signal' in parsed) {
      yield parsed.signal
      continue
    }
    bad.count++
    const { code, detail } = parsed.rejection
    if (bad.count <= LINES_TOLD) bad.told.push(`${file}:${number}: ${code}: ${detail}`)
  }
}

/** Signals that are folded before any model is active move no tiers: it is nearly always a mistake. */
async function warnWithoutModels(
  config: Config,
  backend: Awaited<ReturnType<typeof openServed>>,
  warn: (message: string) => void,
): Promise<void> {
  const partitions = await backend.store.partitions().catch(() => undefined)
  const state =
    partitions === undefined
      ? undefined
      : await backend.store.readPartition(partitionOf('any', partitions)).catch(() => undefined)
  if (state?.state !== undefined) return
  const [place, command] = isEmbedded(config)
    ? [config.dataDir, 'upswell start']
    : [`namespace ${config.namespace}`, 'upswell score']
  warn(
    `no models are active in ${place} yet: these signals will be counted, but changes of tier before the first "${command}" are not told. ` +
      'Start it first if you want them.',
  )
}
