import { setTimeout as sleep } from 'node:timers/promises'
import { type Config, namesKafka, readConfig } from '../app/config.ts'
import { forgottenKafka } from '../app/open-backend.ts'
import { type Service, startService } from '../app/service.ts'
import { loadSignals } from '../consumers/ingest/load-signals.ts'
import { UpswellError } from '../lib/errors.ts'
import { signalRecord } from '../log/signals-topic-records.ts'
import { liveSignals } from '../sample/live.ts'
import { sampleHistory } from '../sample/past-signals.ts'
import { type SampleWorkspace, sampleWorkspace } from '../sample/workspace.ts'
import type { ModelDefinition } from '../scoring/definition/model-definition.ts'
import { progressBar } from './progress-bar.ts'
import { run, untilStopped } from './run.ts'
import { StartScreen } from './start-screen.ts'
import { lineLogger } from './terminal.ts'
import { chooseWorkspace, type Workspace, writeWorkspace } from './workspace.ts'

const SAMPLE_SEED = 1
const LIVE_INTERVAL_MS = 1000

/** At most one of them. */
export interface StartOptions {
  readonly empty?: true
  readonly sample?: true
}

/**
 * `upswell start`: everything in one process. On Kafka and Redis if the settings name Kafka, else embedded.
 */
export async function start({ empty, sample }: StartOptions): Promise<void> {
  const wanted = empty === true ? 'empty' : sample === true ? 'sample' : undefined
  if (!namesKafka()) {
    const config = readConfig()
    if (config.production && wanted === undefined)
      throw forgottenKafka('neither --empty nor --sample is given')
    return startEmbedded(config, wanted)
  }
  if (wanted !== undefined)
    throw new UpswellError(
      'INVALID_SETTINGS',
      `--${wanted} is for the embedded default, but KAFKA_BROKERS is set; on Kafka there is no sample workspace`,
    )
  return run('ingest', 'score', 'api')
}

/** Embedded, with a sample workspace to look at unless an empty one is wanted. */
async function startEmbedded(config: Config, wanted: Workspace['kind'] | undefined): Promise<void> {
  const logger = lineLogger(config.logLevel === 'info' ? 'warn' : config.logLevel)
  const workspace = await chooseWorkspace(config.dataDir, wanted, SAMPLE_SEED)
  const sample = workspace.kind === 'sample' ? sampleWorkspace({ seed: workspace.seed }) : undefined
  const screen = new StartScreen(sample, config.noColor)
  const service = await startService({
    config,
    roles: new Set(['ingest', 'score', 'api']),
    logger,
    onScored: report => screen.show(report),
  })
  const stopped = untilStopped(service, logger)
  const isRunning = () => !service.stopping.aborted
  // A stop can interrupt the work: an error after it is not reported.
  const working = runWorkspace(service, config, { workspace, sample, screen }, isRunning).catch(error => {
    if (isRunning()) throw error
  })
  await Promise.race([stopped, working])
  await stopped
}

interface OpenedWorkspace {
  readonly workspace: Workspace
  readonly sample: SampleWorkspace | undefined
  readonly screen: StartScreen
}

/** Loads the sample if it is not loaded yet, shows the summary, then produces live signals until the stop. */
async function runWorkspace(
  service: Service,
  config: Config,
  { workspace, sample, screen }: OpenedWorkspace,
  isRunning: () => boolean,
): Promise<void> {
  await service.ready()
  screen.models = await modelsById(service)
  if (sample !== undefined && workspace.kind === 'sample' && workspace.state === 'loading') {
    await loadSample(service, sample.seed, screen)
    await writeWorkspace(config.dataDir, { kind: 'sample', seed: sample.seed, state: 'loaded' })
  }
  if (!isRunning()) return
  await screen.welcome(service, config)
  if (sample !== undefined) await produceLiveSignals(service, sample, isRunning)
}

async function modelsById(service: Service): Promise<Map<string, ModelDefinition>> {
  const models = await service.activeModels()
  return new Map(models.map(({ definition }) => [definition.id, definition]))
}

/** Loads the 90 days before now, and returns when all of them are scored. */
async function loadSample(service: Service, seed: number, screen: StartScreen): Promise<void> {
  const { log, store, topics } = service.backend
  const signals = sampleHistory({ seed, until: Date.now() })
  process.stdout.write(
    `First start: loading a sample workspace, 90 days and ${signals.length.toLocaleString('en')} signals …\n`,
  )
  const bar = progressBar('scoring', 'signals', signals.length)
  screen.onProgress = bar.update
  const { ends } = await loadSignals(signals, {
    log,
    topic: topics.signals,
    batchSize: 1000,
    clock: 'event',
    afterwards: 'live',
    now: Date.now,
    onProgress: () => {},
  })
  for (const [partition, end] of ends)
    while ((await store.readStoredOffset(partition)) <= end) await sleep(20)
  screen.onProgress = undefined
  bar.stop()
}

async function produceLiveSignals(
  service: Service,
  workspace: SampleWorkspace,
  isRunning: () => boolean,
): Promise<void> {
  const live = liveSignals({ workspace, from: Date.now() })
  while (isRunning()) {
    await sleep(LIVE_INTERVAL_MS)
    const now = Date.now()
    const records = live
      .nextSignals(now)
      .map(signal => signalRecord(service.served().names.topics.signals, signal, now))
    if (records.length > 0 && isRunning()) await service.backend.log.append(records)
  }
}
