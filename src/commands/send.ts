import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { type Config, readConfig } from '../config.ts'
import { loadSignals } from '../consumers/load-signals.ts'
import { describeError, UpswellError } from '../errors.ts'
import { openBackend } from '../open-backend.ts'
import { parseSignal } from '../scoring/parse-signal.ts'
import type { Signal } from '../scoring/signal.ts'
import { partitionOf } from '../store/partition-of.ts'
import { lineLogger } from './line-logger.ts'
import { progressBar } from './progress-bar.ts'

export interface SendOptions {
  readonly clock: 'wall' | 'event'
  readonly afterwards: 'stay' | 'live'
  readonly batchSize: number
}

/** How many bad lines are told one by one. */
const LINES_TOLD = 20

/**
 * `upswell send FILE.jsonl[.gz]`: appends canonical signals to the log. Lines that are no signals are told and left out.
 * Returns the exit code: 0, or 1 if lines were left out.
 */
export async function send(file: string, options: SendOptions): Promise<number> {
  const config = readConfig()
  const logger = lineLogger(config.logLevel)
  const lines = await openLines(file)
  const backend = await openBackend(config, logger)
  try {
    await warnWithoutModels(config, backend, logger.warn)
    const bar = progressBar('sending', 'signals')
    const bad: string[] = []
    const signals = readSignals(lines, file, bad)
    const { sent, until } = await loadSignals(signals, {
      ...options,
      log: backend.log,
      topic: backend.topics.signals,
      now: Date.now,
      onProgress: bar.update,
    })
    bar.stop()
    for (const line of bad.slice(0, LINES_TOLD)) logger.error(line)
    if (bad.length > LINES_TOLD) logger.error(`… and ${bad.length - LINES_TOLD} more lines`)
    const leftOut = bad.length === 0 ? '' : `; ${bad.length} lines are no signals and were left out`
    process.stdout.write(`Sent ${sent} signals to ${backend.topics.signals}${leftOut}.\n`)
    if (options.clock === 'event' && options.afterwards === 'stay' && until !== undefined) {
      process.stdout.write(
        `They are history: scores stand as of ${new Date(until).toISOString()} until a live signal comes, or history is sent with --afterwards live.\n`,
      )
    }
    return bad.length === 0 ? 0 : 1
  } finally {
    await backend.close()
  }
}

async function openLines(file: string): Promise<AsyncIterable<string>> {
  const raw: Readable = file === '-' ? process.stdin : createReadStream(file)
  if (file !== '-') {
    await new Promise((resolve, reject) => {
      raw.once('readable', resolve)
      raw.once('end', resolve)
      raw.once('error', error =>
        reject(new UpswellError('INPUT_UNREADABLE', `cannot read ${file}: ${describeError(error)}`)),
      )
    })
  }
  const input = file.endsWith('.gz') ? raw.pipe(createGunzip()) : raw
  return createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })
}

async function* readSignals(
  lines: AsyncIterable<string>,
  file: string,
  bad: string[],
): AsyncGenerator<Signal> {
  let number = 0
  for await (const line of lines) {
    number++
    if (line.trim() === '') continue
    const parsed = parseSignal(Buffer.from(line), { observedAt: Date.now(), defaultKind: undefined })
    if ('signal' in parsed) yield parsed.signal
    else bad.push(`${file}:${number}: ${parsed.rejection.code}: ${parsed.rejection.detail}`)
  }
}

/** Signals that are folded before any model is active move no tiers: it is nearly always a mistake. */
async function warnWithoutModels(
  config: Config,
  backend: Awaited<ReturnType<typeof openBackend>>,
  warn: (message: string) => void,
): Promise<void> {
  const partitions = await backend.store.partitions().catch(() => undefined)
  const state =
    partitions === undefined
      ? undefined
      : await backend.store.readPartition(partitionOf('any', partitions)).catch(() => undefined)
  if (state?.state !== undefined) return
  warn(
    `no models are active in namespace ${config.namespace} yet: these signals will be counted, but changes of tier before the first start of "upswell score" are not told. ` +
      'Start it first if you want them.',
  )
}
