import { type Config, readConfig } from '../app/config.ts'
import { isEmbedded, openServed } from '../app/open-backend.ts'
import { counted } from '../console/format.ts'
import { loadSignals } from '../consumers/ingest/load-signals.ts'
import { partitionOf } from '../log/partition-of.ts'
import { ModelLibrary } from '../models/model-library.ts'
import type { Signal } from '../signals/signal.ts'
import { storeLocation } from './data-location.ts'
import { progressBar } from './progress-bar.ts'
import { openSignalFile, RejectedLines, readSignalFile, type SignalLine } from './signal-file.ts'
import { lineLogger } from './terminal.ts'
import { claimWorkspace } from './workspace.ts'

export interface SendOptions {
  readonly clock: 'wall' | 'event'
  readonly afterwards: 'stay' | 'live'
  readonly batchSize: number
}

/**
 * `upswell send FILE.jsonl[.gz]`: appends canonical signals to the log. Reports lines that are not signals,
 * and leaves them out. Returns the exit code: 0, or 1 if lines were left out.
 * @throws UpswellError INPUT_UNREADABLE, LOG_UNAVAILABLE, INVALID_SETTINGS
 */
export async function send(file: string, options: SendOptions): Promise<number> {
  const config = readConfig()
  const logger = lineLogger(config.logLevel)
  const input = await openSignalFile(file)
  if (isEmbedded(config)) await claimWorkspace(config.dataDir)
  const backend = await openServed(config, logger, new ModelLibrary())
  const bar = progressBar('sending', 'signals')
  const rejected = new RejectedLines()
  let sent = 0
  try {
    await warnWithoutModels(config, backend, logger.warn)
    const { until } = await loadSignals(signalsIn(readSignalFile(input, file), rejected), {
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
    rejected.print(logger.error)
    const leftOut = rejected.count === 0 ? '' : `; ${counted(rejected.count, 'line')} left out: not signals`
    process.stdout.write(`Sent ${counted(sent, 'signal')} to ${backend.topics.signals}${leftOut}.\n`)
    if (options.clock === 'event' && options.afterwards === 'stay' && until !== undefined) {
      process.stdout.write(
        `They are history: scores are as of ${new Date(until).toISOString()} until a live signal comes, or you send history with --afterwards live.\n`,
      )
    }
    return rejected.count === 0 ? 0 : 1
  } catch (error) {
    bar.stop()
    rejected.print(logger.error)
    if (sent > 0) logger.warn(`${counted(sent, 'signal')} had been sent before this`)
    throw error
  } finally {
    await backend.close()
  }
}

async function* signalsIn(lines: AsyncIterable<SignalLine>, rejected: RejectedLines): AsyncGenerator<Signal> {
  for await (const line of lines) {
    if (line.type === 'signal') yield line.signal
    else rejected.add(line)
  }
}

/** Signals that are folded before any model is active change no tiers: it is nearly always a mistake. */
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
  const place = storeLocation(config)
  const command = isEmbedded(config) ? 'upswell start' : 'upswell score'
  warn(
    `no models are active in ${place} yet: these signals are counted, but tier changes before the first "${command}" are not published. ` +
      'Run it first if you want them.',
  )
}
