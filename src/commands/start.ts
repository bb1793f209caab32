import { setTimeout as sleep } from 'node:timers/promises'
import { type Config, readConfig } from '../app/config.ts'
import { isEmbedded } from '../app/open-backend.ts'
import { type Service, startService } from '../app/service.ts'
import type { ConsoleContext } from '../console/console-context.ts'
import { createContributionMemory } from '../console/describe-change.ts'
import { formatEvent } from '../console/print-event.ts'
import { formatSummaries } from '../console/print-summary.ts'
import { loadSignals } from '../consumers/ingest/load-signals.ts'
import type { BatchReport } from '../consumers/scorer/score-partition.ts'
import { describeError, UpswellError } from '../lib/errors.ts'
import { signalRecord } from '../log/log-entries.ts'
import { sampleHistory } from '../sample/history.ts'
import { liveSignals } from '../sample/live.ts'
import { type SampleWorkspace, sampleWorkspace } from '../sample/workspace.ts'
import type { ModelDefinition } from '../scoring/definition/model-definition.ts'
import type { ScoringEvent } from '../scoring/outputs.ts'
import { lineLogger } from './line-logger.ts'
import { progressBar } from './progress-bar.ts'
import { run, untilStopped } from './run.ts'
import { summarize } from './summarize.ts'
import { chooseWorkspace, writeWorkspace } from './workspace.ts'

const SAMPLE_SEED = 1
const LIVE_INTERVAL_MS = 1000
/** The model that the summary at start is about, and whose tier changes are shown, if it is among the active ones. */
const MAIN_MODEL = 'expansion-revenue-score'

/** `upswell start`: everything in one process. Embedded, with a sample workspace to look at, unless the settings name Kafka. */
export async function start({ empty }: { readonly empty: boolean }): Promise<void> {
  const config = readConfig()
  if (!isEmbedded(config)) {
    if (empty)
      throw new UpswellError(
        'INVALID_SETTINGS',
        '--empty is for the embedded default; KAFKA_BROKERS is set, and there is no sample on Kafka',
      )
    return run('ingest', 'score', 'api')
  }

  const logger = lineLogger(config.logLevel === 'info' ? 'warn' : config.logLevel)
  const workspace = await chooseWorkspace(config.dataDir, empty, SAMPLE_SEED)
  const sample = workspace.kind === 'sample' ? sampleWorkspace({ seed: workspace.seed }) : undefined
  const screen = new Screen(sample, config.noColor)
  const service = await startService({
    config,
    roles: new Set(['ingest', 'score', 'api']),
    logger,
    onScored: batch => screen.show(batch),
  })
  const stopped = untilStopped(service, logger)
  let running = true
  void stopped.catch(() => undefined).finally(() => (running = false))

  const work = async (): Promise<void> => {
    await service.ready()
    screen.models = await definitionsOf(service)
    if (sample !== undefined && workspace.kind === 'sample' && workspace.state === 'loading') {
      await loadSample(service, sample.seed, screen)
      await writeWorkspace(config.dataDir, { kind: 'sample', seed: sample.seed, state: 'loaded' })
    }
    if (!running) return
    await screen.welcome(service, config)
    if (sample !== undefined) await produceLiveSignals(service, sample, () => running)
  }
  // A stop may come in the midst of the work; what that then fails with is no news.
  const working = work().catch(error => {
    if (running) throw error
  })
  await Promise.race([stopped, working])
  await stopped
}

/** Loads the 90 days before now, and returns when all of it is scored. */
async function loadSample(service: Service, seed: number, screen: Screen): Promise<void> {
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

/** While they change, those of the first partition. */
async function definitionsOf(service: Service): Promise<Map<string, ModelDefinition>> {
  const models = await service.activeModels()
  return new Map(models.map(({ definition }) => [definition.id, definition]))
}

async function produceLiveSignals(
  service: Service,
  workspace: SampleWorkspace,
  running: () => boolean,
): Promise<void> {
  const live = liveSignals({ workspace, from: Date.now() })
  while (running()) {
    await sleep(LIVE_INTERVAL_MS)
    const now = Date.now()
    const records = live
      .nextSignals(now)
      .map(signal => signalRecord(service.served().names.topics.signals, signal, now))
    if (records.length > 0 && running()) await service.backend.log.append(records)
  }
}

/** What a person at the terminal sees. */
class Screen {
  models = new Map<string, NonNullable<ReturnType<ConsoleContext['model']>>>()
  onProgress: ((scored: number) => void) | undefined
  readonly #noColor: boolean
  readonly #names: ReadonlyMap<string, string>
  readonly #contributions = createContributionMemory()
  #scored = 0
  #welcomed = false

  constructor(sample: SampleWorkspace | undefined, noColor: boolean) {
    this.#noColor = noColor
    this.#names = new Map(sample?.accounts.map(({ id, name }) => [id, name]))
  }

  show(batch: BatchReport): void {
    this.#scored += batch.records
    this.onProgress?.(this.#scored)
    for (const event of batch.events) {
      if (this.#welcomed && !batch.refolded && this.#isShown(event))
        process.stdout.write(`${formatEvent(event, this.#context())}\n`)
      if (event.type === 'tier-change') this.#contributions.remember(event)
    }
  }

  async welcome(service: Service, config: Config): Promise<void> {
    const { library, url } = service
    const active = await service.activeModels()
    const summaries = await summarize(service.served().backend.store, library, [...active]).catch(
      describeError,
    )
    if (typeof summaries === 'object' && summaries.length > 0)
      process.stdout.write(`\n${formatSummaries(summaries, this.#context())}\n`)
    const { definition } = active.find(({ definition }) => definition.rates.length > 0) ?? {}
    const lines = [
      '',
      `  Ranked accounts   ${url}/v1/accounts`,
      ...(active.length > 1 && this.models.has(MAIN_MODEL)
        ? [`                    of one model: ?model=${MAIN_MODEL}`]
        : []),
      ...(definition === undefined
        ? []
        : [`  Rates             ${url}/v1/rates/${definition.rates[0]!.name}`]),
      ...(active.some(({ definition }) => definition.kpis !== undefined)
        ? [`  Key figures       ${url}/v1/kpis`]
        : []),
      `  API description   ${url}/openapi.json`,
      `  Data              ${config.dataDir} (kept; delete it to begin anew)`,
      '',
      ...this.#announcement().map(line => `  ${line}`),
      '',
    ]
    process.stdout.write(`${lines.join('\n')}\n`)
    this.#welcomed = true
  }

  /** All models' PQLs and alerts ask for something to be done; tier changes of them all at once would bury these. */
  #isShown({ type, modelId }: ScoringEvent): boolean {
    return type !== 'tier-change' || modelId === MAIN_MODEL || !this.models.has(MAIN_MODEL)
  }

  /** What is printed from now on, in lines that fit any terminal. */
  #announcement(): string[] {
    const models = [...this.models.values()]
    const leads = models.some(({ alerts }) => alerts.length > 0) ? 'PQLs and alerts' : 'PQLs'
    const ending = 'as they happen (Ctrl-C stops):'
    const main = this.models.get(MAIN_MODEL)
    if (main === undefined || models.length === 1) return [`Tier changes, ${leads}, ${ending}`]
    return [`${leads} of all models, tier changes of the ${main.name},`, ending]
  }

  #context(): ConsoleContext {
    return {
      title: accountId => this.#names.get(accountId),
      model: modelId => this.models.get(modelId),
      mainModelId: MAIN_MODEL,
      contributionsBefore: event => this.#contributions.before(event),
      width: process.stdout.columns ?? 100,
      color: process.stdout.isTTY === true && !this.#noColor,
      now: Date.now(),
    }
  }
}
