import { basename } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Config, readConfig } from '../../app/config.ts'
import { isEmbedded, openBackend } from '../../app/open-backend.ts'
import { readModelFiles } from '../../app/read-model-files.ts'
import { beginReplay } from '../../consumers/lineage/begin-replay.ts'
import { dropReplay } from '../../consumers/lineage/drop-replay.ts'
import { type FoundLineage, Lineages } from '../../consumers/lineage/lineages.ts'
import { writePromotion } from '../../consumers/lineage/promote.ts'
import {
  isCopied,
  isScored,
  type ReplayLocation,
  readProgress,
  replayLocation,
} from '../../consumers/lineage/replay-progress.ts'
import { type Replay, readReplay } from '../../consumers/lineage/replay-record.ts'
import { scoreReplay } from '../../consumers/lineage/score-lineages.ts'
import { UpswellError } from '../../lib/errors.ts'
import { tickRecord } from '../../log/make-records.ts'
import { ModelLibrary } from '../../models/model-library.ts'
import { lineLogger } from '../line-logger.ts'
import { progressReport } from '../progress-report.ts'

export interface ReplayOptions {
  readonly into: string
  /** ms */
  readonly from?: number
  readonly to?: number | 'now'
  /** Files or folders. */
  readonly model?: readonly string[]
  readonly partitions?: number
}

/** More than in live scoring: nobody waits for a single record. */
const BATCH_SIZE = 2_000
const LOOK_INTERVAL_MS = 1_000
/** So few come in while one looks; some of them are marks of transactions, which nobody scores. */
const FEW_LEFT = 1_000

/**
 * `upswell replay --into NAME`: reads the log a second time, into a namespace and topics of its own. Ends when it has come to `--to`; without it follows the
 * log until it is stopped, or promoted. Returns the exit code.
 * @throws InvalidModelError; UpswellError INVALID_SETTINGS, PARTITIONS_CHANGED, LOG_FENCED, LOG_UNAVAILABLE, STORE_UNAVAILABLE
 */
export async function replay(options: ReplayOptions): Promise<number> {
  const config = readConfig()
  return await withLineages(config, async (lineages, library) => {
    const lineage = await lineages.replay(options.into)
    const { log } = lineage.backend
    const wanted = await describeReplay(options, lineages, lineage, library)
    const partitions = options.partitions ?? (await partitionsOf(lineage, wanted))
    const { isNew } = await beginReplay(log, lineage.names, wanted, { partitions, now: Date.now() })
    tell(introduction(options.into, wanted, lineage, partitions, isNew))
    const stopping = untilStopped()
    const logger = lineLogger(config.logLevel)
    const scoring = await scoreReplay(
      {
        lineages,
        library,
        logger,
        batchSize: Math.max(config.batchSize, BATCH_SIZE),
        // The scorers decide which models are active once it serves: their settings may be newer.
        ticks: { models: undefined, now: Date.now, intervalMs: config.tickIntervalMs },
        checkpointIntervalMs: isEmbedded(config) ? 0 : config.checkpointIntervalMs,
        onScored: () => {},
      },
      lineage,
    )
    try {
      return await watch(lineages, lineage, wanted, stopping)
    } finally {
      await scoring.stop()
    }
  })
}

/** `upswell replay promote NAME`. Returns the exit code: 1 if no scorer has taken it up after a while. */
export async function promoteReplay(name: string): Promise<number> {
  const config = readConfig()
  return await withLineages(config, async lineages => {
    const promoted = await writePromotion(lineages, name, Date.now())
    const patienceMs = isEmbedded(config) ? EMBEDDED_PATIENCE_MS : PROMOTION_PATIENCE_MS
    tell(`The promotion of ${name} is written into the log.`)
    for (const until = Date.now() + patienceMs; Date.now() < until; await sleep(LOOK_INTERVAL_MS)) {
      if ((await lineages.served()).names.namespace !== promoted.names.namespace) continue
      tell(
        `${name} serves: the API answers from it, and its events go to ${lineages.original.names.topics['pql-events']} and its like.`,
      )
      return 0
    }
    tell(
      isEmbedded(config)
        ? 'It takes effect with the next "upswell start".'
        : `No scorer has come to it within ${PROMOTION_PATIENCE_MS / 1000} s. It takes effect as soon as "upswell score" runs; nothing more need be done.`,
    )
    return isEmbedded(config) ? 0 : 1
  })
}

const PROMOTION_PATIENCE_MS = 60_000
/** The one process that may run is on this machine. */
const EMBEDDED_PATIENCE_MS = 5_000

/** `upswell replay drop NAME`. */
export async function dropReplayNamed(name: string): Promise<void> {
  await withLineages(readConfig(), async lineages => {
    await dropReplay(lineages, name)
    tell(`${name} is gone: its topics, its groups and its state.`)
  })
}

async function withLineages<T>(
  config: Config,
  work: (lineages: Lineages, library: ModelLibrary) => Promise<T>,
): Promise<T> {
  const library = new ModelLibrary()
  const backend = await openBackend(config, lineLogger(config.logLevel))
  const lineages = new Lineages(config, backend, library)
  try {
    return await work(lineages, library)
  } finally {
    await lineages.close()
    await backend.close()
  }
}

/** What the user asks for; where a replay of this name was begun, `--to now` is when that was, and its origin stays. */
async function describeReplay(
  { into, from, to, model }: ReplayOptions,
  lineages: Lineages,
  lineage: FoundLineage,
  library: ModelLibrary,
): Promise<Replay> {
  const { log } = lineage.backend
  const begun = await readReplay(log, lineage.names.topics.signals)
  const served = await lineages.served()
  if (served.names.namespace === lineage.names.namespace)
    throw new UpswellError(
      'INVALID_SETTINGS',
      `${into} was promoted and serves; choose another name for a new replay`,
    )
  const { topics, namespace } = served.names
  const origin = begun?.origin ?? {
    topic: topics.signals,
    partitions: await log.partitions(topics.signals),
    namespace,
  }
  const models = model === undefined ? null : await readModelFiles(model)
  library.compileAll(models ?? [])
  const end = to === 'now' ? (begun?.to ?? Date.now()) : (to ?? null)
  return {
    name: into,
    origin,
    from: from ?? null,
    to: end,
    models: models?.map(({ file, text }) => ({ file, text })) ?? null,
  }
}

async function partitionsOf({ names, backend: { log } }: FoundLineage, { origin }: Replay): Promise<number> {
  const exists = (await log.topics()).includes(names.topics.signals)
  return exists ? await log.partitions(names.topics.signals) : origin.partitions
}

function introduction(
  name: string,
  { origin, from, to, models }: Replay,
  { names }: FoundLineage,
  partitions: number,
  isNew: boolean,
): string {
  const window = `${from === null ? 'from the beginning' : `from ${iso(from)}`}${to === null ? ', then following it' : ` to ${iso(to)}`}`
  const scoredWith =
    models === null ? 'the models that the log names' : models.map(({ file }) => basename(file)).join(', ')
  return [
    `${isNew ? 'Replaying' : 'Going on with the replay of'} ${origin.topic} ${window}`,
    `  into      ${name}: ${partitions} partitions, topics ${names.topics.signals}, ${names.topics['pql-events']} and so on`,
    `  scored by ${scoredWith}`,
  ].join('\n')
}

/** Shows how it goes on, until it is through, promoted, or stopped. */
async function watch(
  lineages: Lineages,
  lineage: FoundLineage,
  replay: Replay,
  stopping: AbortSignal,
): Promise<number> {
  const { log } = lineage.backend
  const { namespace } = lineage.names
  const location = replayLocation(lineage, replay)
  const ends = await log.ranges(location.originTopic)
  const report = progressReport('replaying', 'records')
  /** The end of the replay's own log once all is copied that the origin held at the beginning: behind it more may come without end. */
  let copied: Awaited<ReturnType<typeof log.ranges>> | undefined
  let isFollowing = false
  try {
    while (!stopping.aborted) {
      const progress = await readProgress(location)
      if (!isFollowing) report.update(progress.scored, progress.scored + progress.left)
      const isNear = progress.left <= FEW_LEFT && !isFollowing
      if (isNear && copied === undefined && (await isCopied(location, ends)))
        copied = await log.ranges(location.topic)
      const isThrough = isNear && copied !== undefined && (await isScored(location, copied))
      if (isThrough && replay.to !== null) {
        await passTime(location, replay.to)
        report.stop()
        tell(
          `Replayed ${progress.scored} records, to ${iso(replay.to)}. What it made of them: upswell replay diff ${replay.name}`,
        )
        return 0
      }
      if (isThrough) {
        report.stop()
        isFollowing = true
        tell(
          `Caught up after ${progress.scored} records; it follows the log now. Ctrl-C stops it, and the same command goes on.\n` +
            `What it does otherwise: upswell replay diff ${replay.name}. To serve it: upswell replay promote ${replay.name}.`,
        )
      }
      if (isFollowing && (await lineages.served()).names.namespace === namespace) {
        tell(`${replay.name} was promoted: "upswell score" goes on with it.`)
        return 0
      }
      await sleep(LOOK_INTERVAL_MS, undefined, { signal: stopping }).catch(() => {})
    }
    tell(`Stopped; the same command goes on where it was.`)
    return 0
  } finally {
    report.stop()
  }
}

/** At the end of its window, time has passed for every account: what was to happen until then has happened. */
async function passTime({ log, store, topic }: ReplayLocation, to: number): Promise<void> {
  const partitions = await log.partitions(topic)
  const ticks = Array.from({ length: partitions * SLICES }, (_, i) =>
    tickRecord(topic, Math.floor(i / SLICES), to - 1, {
      slice: i % SLICES,
      of: SLICES,
      scope: 'due',
      clock: 'event',
    }),
  )
  const positions = await log.append(ticks)
  for (const { partition, offset } of positions)
    while ((await store.readStoredOffset(partition)) <= offset) await sleep(20)
}

/** Of the last ticks: each is a batch of its own. */
const SLICES = 64

function untilStopped(): AbortSignal {
  const stopping = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort())
  return stopping.signal
}

function tell(text: string): void {
  process.stdout.write(`${text}\n`)
}

function iso(time: number): string {
  return new Date(time).toISOString()
}
