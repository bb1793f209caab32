import type { Config } from '../app/config.ts'
import type { Service } from '../app/service.ts'
import type { ConsoleContext } from '../console/console-context.ts'
import { createContributionMemory } from '../console/describe-change.ts'
import { formatEvent } from '../console/print-event.ts'
import { formatSummaries } from '../console/print-summary.ts'
import type { StepReport } from '../consumers/scorer/step-report.ts'
import { describeError } from '../lib/errors.ts'
import type { SampleWorkspace } from '../sample/workspace.ts'
import type { ModelDefinition } from '../scoring/definition/model-definition.ts'
import type { ScoringEvent } from '../scoring/events.ts'
import { summarize } from './summarize.ts'

/** If this model is active, the summary at start is about it, and only its tier changes are shown. */
const MAIN_MODEL = 'expansion-revenue-score'

/** What a person sees at the terminal of `upswell start`: a summary, then the events of live scoring. */
export class StartScreen {
  models: ReadonlyMap<string, ModelDefinition> = new Map()
  onProgress: ((scored: number) => void) | undefined
  readonly #noColor: boolean
  readonly #names: ReadonlyMap<string, string>
  readonly #contributions = createContributionMemory()
  #scored = 0
  #isWelcomed = false

  constructor(sample: SampleWorkspace | undefined, noColor: boolean) {
    this.#noColor = noColor
    this.#names = new Map(sample?.accounts.map(({ id, name }) => [id, name]))
  }

  show(report: StepReport): void {
    this.#scored += report.records
    this.onProgress?.(this.#scored)
    for (const event of report.events) {
      if (this.#isWelcomed && !report.refolded && this.#isShown(event))
        process.stdout.write(`${formatEvent(event, this.#context())}\n`)
      if (event.type === 'tier-change') this.#contributions.remember(event)
    }
  }

  /** Prints the summary and where everything is. Events are printed only after it. */
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
      `  Data              ${config.dataDir} (kept; delete it to start again from the beginning)`,
      '',
      ...this.#announcement().map(line => `  ${line}`),
      '',
    ]
    process.stdout.write(`${lines.join('\n')}\n`)
    this.#isWelcomed = true
  }

  /** PQLs and alerts of all models ask for an action; tier changes of all models would bury them. */
  #isShown({ type, modelId }: ScoringEvent): boolean {
    return type !== 'tier-change' || modelId === MAIN_MODEL || !this.models.has(MAIN_MODEL)
  }

  /** Says what is printed from now on, in lines that fit any terminal. */
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
