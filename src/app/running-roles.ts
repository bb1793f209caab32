import type { Scoring } from '../consumers/scorer/score-partitions.ts'
import type { Logger } from '../lib/logger.ts'
import { untilAvailable } from '../lib/until-available.ts'
import type { Consumption } from '../log/log.ts'

export type Role = 'ingest' | 'score' | 'api'
export type ConsumingRole = Exclude<Role, 'api'>

/** The consuming roles of one process: they start when Kafka and Redis are available, and stop together. */
export class RunningRoles {
  readonly #roles: ReadonlySet<Role>
  readonly #logger: Logger
  readonly #stopping: AbortSignal
  readonly #running = new Map<ConsumingRole, Consumption>()
  /** When each role began to start, ms. */
  readonly #startedAt = new Map<ConsumingRole, number>()
  #scoring: Scoring | undefined

  constructor(roles: ReadonlySet<Role>, logger: Logger, stopping: AbortSignal) {
    this.#roles = roles
    this.#logger = logger
    this.#stopping = stopping
  }

  has(role: Role): boolean {
    return this.#roles.has(role)
  }

  /**
   * Starts a role of this process, and waits for Kafka and Redis as long as it takes. Does nothing for other
   * roles.
   * @throws what `start` throws that waiting cannot mend
   */
  async start(role: ConsumingRole, start: () => Promise<Consumption>): Promise<void> {
    if (!this.has(role)) return
    this.#startedAt.set(role, performance.now())
    const consumption = await untilAvailable(start, role, this.#logger, this.#stopping)
    if (consumption !== undefined) this.#running.set(role, consumption)
  }

  /** `start` for the score role. */
  async startScoring(start: () => Promise<Scoring>): Promise<void> {
    await this.start('score', async () => {
      this.#scoring = await start()
      return this.#scoring
    })
  }

  /** How many partitions all roles read now. */
  countPartitions(): number {
    return [...this.#running.values()].reduce((sum, consumption) => sum + consumption.assignments().length, 0)
  }

  /** Role of this process → how long it waits already for its group, ms; 0: it does not wait. */
  waits(): ReadonlyMap<ConsumingRole, number> {
    const nowMs = performance.now()
    return new Map(
      Array.from(this.#startedAt, ([role, startedAtMs]) => [
        role,
        this.#running.get(role)?.waitingMs() ?? nowMs - startedAtMs,
      ]),
    )
  }

  /** The partitions of `topic` that this process scores now. */
  scoredPartitions(topic: string): number[] {
    return (this.#scoring?.assignments() ?? [])
      .filter(assigned => assigned.topic === topic)
      .map(({ partition }) => partition)
  }

  /** What keeps the roles from their work now, each `role: what is wrong`. */
  problems(): string[] {
    const found: string[] = []
    for (const role of ['ingest', 'score'] as const) {
      if (!this.has(role)) continue
      const consumption = this.#running.get(role)
      const problem = consumption === undefined ? 'waiting for the log' : consumption.problem()
      if (problem !== undefined) found.push(`${role}: ${problem}`)
    }
    // A problem of the role says more than its effect.
    const isScoring = this.#scoring !== undefined && !found.some(problem => problem.startsWith('score: '))
    if (isScoring && !this.#scoring!.modelsActive())
      found.push('score: the configured models are not active yet')
    return found
  }

  /**
   * Stops all roles that have joined. Adds errors to `failures`: one role must not keep another from
   * stopping.
   */
  async stop(failures: unknown[]): Promise<void> {
    await Promise.all(
      [...this.#running.values()].map(consumption =>
        consumption.stop().catch((error: unknown) => failures.push(error)),
      ),
    )
  }
}
