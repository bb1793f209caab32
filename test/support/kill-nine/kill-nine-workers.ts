import { setTimeout as sleep } from 'node:timers/promises'
import { CliProcess, type Environment } from '../../commands/cli.ts'

export type WorkerRole = 'score' | 'ingest'

/** How far a process had come when it was killed. */
export type Stage = 'starting' | 'without a partition' | 'before its first record' | 'at work'

const ANSWERS = / (http:\/\/127\.0\.0\.1:\d+) answers \/livez, \/readyz and \/metrics"/
const WORK = /^upswell_(?:signals|refolded_records|ingested_records)_total(?:\{[^}]*\})? ([1-9]\d*)/m
const ASSIGNED = /^upswell_assigned_partitions ([1-9]\d*)/m

/** A process of the real command line, until something kills it. */
export class Worker {
  readonly role: WorkerRole
  readonly instanceId: string | undefined
  readonly #process: CliProcess
  #ended = false

  constructor(main: string, role: WorkerRole, env: Environment) {
    this.role = role
    this.instanceId = env['UPSWELL_INSTANCE_ID']
    this.#process = new CliProcess(main, [role], { env })
    void this.#process.ended.then(() => {
      this.#ended = true
    })
  }

  /** Whether it ended by itself. No outage may cause that. */
  get hasEnded(): boolean {
    return this.#ended
  }

  get output(): string {
    return `${this.#process.stdout}${this.#process.stderr}`
  }

  async stage(): Promise<Stage> {
    const url = ANSWERS.exec(this.#process.stdout)?.[1]
    if (url === undefined) return 'starting'
    const metrics = await fetch(`${url}/metrics`).then(
      response => response.text(),
      () => '',
    )
    if (WORK.test(metrics)) return 'at work'
    return ASSIGNED.test(metrics) ? 'before its first record' : 'without a partition'
  }

  /**
   * Returns once it has handled records since its start.
   * @throws Error after `patienceMs`, with its output
   */
  async worked(patienceMs: number): Promise<void> {
    const deadline = performance.now() + patienceMs
    while ((await this.stage()) !== 'at work') {
      if (this.#ended) throw new Error(`upswell ${this.role} ended by itself:\n${this.output}`)
      if (performance.now() > deadline)
        throw new Error(`upswell ${this.role} did no work within ${patienceMs} ms:\n${this.output}`)
      await sleep(15)
    }
  }

  /**
   * Freezes it without its knowledge. When it continues, it still takes partitions for its own that others
   * have meanwhile.
   */
  freeze(): void {
    process.kill(this.#process.pid, 'SIGSTOP')
  }

  wake(): void {
    if (!this.#ended) process.kill(this.#process.pid, 'SIGCONT')
  }

  async kill(): Promise<void> {
    await this.#process.kill('SIGKILL')
  }

  /** Stops it as an operator would. */
  async stop(): Promise<{ readonly code: number | null }> {
    return await this.#process.kill('SIGTERM')
  }
}

/** How the workers took over their partitions, from their logs. */
export interface Recoveries {
  /**
   * How often the store was at most one batch behind: the process, or Redis, died between a transaction and
   * the save.
   */
  readonly committedNotSaved: number
  /** How often it was further behind: it was emptied or rolled back. */
  readonly storeBehind: number
  /** How many records were refolded, each time. */
  readonly recordsRefolded: readonly number[]
  /**
   * Must stay empty: the stored offset passed the committed one, the log ended before it, or any line has
   * level error.
   */
  readonly alarming: readonly string[]
}

const REFOLDED = /partition (\d+): the store is at (\d+), (\d+) records are folded again/
const MOVED_BACK = /the group was moved back to/
/** The run's own ticks are days ahead of the workers' clocks. */
const RECORD_AHEAD = /a record in the log has the time/

/**
 * @param offsets of the records in each partition of the log; the workers' logs count transaction markers too
 * @param mostInABatch the most records in one transaction
 */
export function readRecoveries(
  workers: readonly Worker[],
  offsets: readonly (readonly number[])[],
  mostInABatch: number,
): Recoveries {
  const recordsRefolded: number[] = []
  const alarming: string[] = []
  for (const line of workers.flatMap(({ output }) => output.split('\n'))) {
    const again = REFOLDED.exec(line)
    if (again !== null) {
      const [partition, from, length] = again.slice(1).map(Number) as [number, number, number]
      recordsRefolded.push(
        offsets[partition]!.filter(offset => offset >= from && offset < from + length).length,
      )
    }
    const isError = line.includes('"level":"error"') && !RECORD_AHEAD.test(line)
    if (MOVED_BACK.test(line) || isError) alarming.push(line)
  }
  const committedNotSaved = recordsRefolded.filter(count => count <= mostInABatch).length
  return {
    committedNotSaved,
    storeBehind: recordsRefolded.length - committedNotSaved,
    recordsRefolded,
    alarming,
  }
}
