import { UpswellError } from '../../../src/lib/errors.ts'
import type { Random } from '../../../src/sample/random.ts'
import type { CallFaultKind, Operation } from './plan.ts'
import type { Scheduler } from './scheduler.ts'

/** The world around a process. */
export interface Environment {
  readonly scheduler: Scheduler
  readonly random: Random
  /** The fault of the next call of this operation. Counts the call. */
  faultOf(operation: Operation, process: SimulatedProcess): CallFaultKind | undefined
  trace(line: () => string): void
  /** The wall clock, ms. */
  wallMs(): number
  died(process: SimulatedProcess): void
  froze(process: SimulatedProcess): void
}

/**
 * One process. All its waits are steps of the scheduler. When it dies, no answer reaches it any more. When it
 * freezes, answers wait until it continues. A request takes effect even if its sender has died.
 */
export class SimulatedProcess {
  readonly name: string
  isAlive = true
  /** How far its clock is ahead of the wall clock, ms. */
  clockErrorMs = 0
  readonly #world: Environment
  /** Callbacks that wait while it is frozen. Undefined if it is not. */
  #held: (() => void)[] | undefined

  constructor(name: string, world: Environment) {
    this.name = name
    this.#world = world
  }

  readonly now = (): number => Math.floor(this.#world.wallMs() + this.clockErrorMs)

  get isFrozen(): boolean {
    return this.#held !== undefined
  }

  /**
   * Calls something outside. `effect` happens there at one moment, and the answer comes later. `about` adds
   * detail to the trace. `unavailable` makes the error for a caller that cannot know whether it happened.
   */
  call<T>(
    operation: Operation,
    about: () => string,
    effect: () => T | Promise<T>,
    unavailable: () => Error,
  ): Promise<T> {
    const { scheduler, random } = this.#world
    const trace = (line: () => string): void =>
      this.#world.trace(() => `${this.name}: ${operation} ${about()}${line()}`)
    return new Promise((resolve, reject) => {
      if (!this.isAlive) return
      const fault = this.#world.faultOf(operation, this)
      if (fault !== undefined) trace(() => ` meets ${fault}`)
      if (fault === 'crash-before') {
        this.die()
        return
      }
      const act = async (): Promise<void> => {
        try {
          const value = await effect()
          this.after(latencyMs(random), () => {
            trace(() => (value === 'busy' ? ': not yet' : ''))
            resolve(value)
          })
        } catch (error) {
          this.after(latencyMs(random), () => {
            trace(() => ` refused: ${reasonOf(error)}`)
            reject(error)
          })
        }
      }
      const actUnheard = async (): Promise<void> => {
        try {
          await effect()
          trace(() => ' took effect without an answer')
        } catch (error) {
          trace(() => ` was refused without an answer: ${reasonOf(error)}`)
        }
      }
      const fail = () => this.after(latencyMs(random), () => reject(unavailable()))
      switch (fault) {
        case undefined:
          scheduler.after(latencyMs(random), () => void act())
          break
        case 'slow':
          scheduler.after(random.between(500, 8_000), () => void act())
          break
        case 'crash-after':
          scheduler.after(latencyMs(random), () => {
            void actUnheard()
            this.die()
          })
          break
        case 'freeze':
          scheduler.after(latencyMs(random), () => {
            this.freeze(random.between(4_000, 15_000))
            void act()
          })
          break
        case 'lost':
          fail()
          break
        case 'unclear':
          scheduler.after(latencyMs(random), () => void actUnheard().then(fail))
          break
        case 'late':
          fail()
          scheduler.after(random.between(50, 6_000), () => void actUnheard())
          break
        case 'twice':
          scheduler.after(latencyMs(random), () => void actUnheard().then(fail))
          scheduler.after(random.between(20, 6_000), () => void actUnheard())
          break
        default:
          fault satisfies never
      }
    })
  }

  /** Runs a callback of this process later: never if it is dead by then, and not while it is frozen. */
  after(delayMs: number, run: () => void): void {
    this.#world.scheduler.after(delayMs, () => this.#whenGoing(run))
  }

  sleep(delayMs: number): Promise<void> {
    return new Promise(resolve => this.after(delayMs, resolve))
  }

  /** Like `setInterval`. A frozen process does not make up for missed calls. */
  readonly every = (intervalMs: number, call: () => void): (() => void) => {
    let isStopped = false
    const again = (): void => {
      if (isStopped) return
      call()
      this.after(intervalMs, again)
    }
    this.after(intervalMs, again)
    return () => {
      isStopped = true
    }
  }

  die(): void {
    if (!this.isAlive) return
    this.#world.trace(() => `${this.name}: dies`)
    this.isAlive = false
    this.#held = undefined
    this.#world.died(this)
  }

  freeze(forMs: number): void {
    if (!this.isAlive || this.isFrozen) return
    this.#world.trace(() => `${this.name}: freezes for ${Math.round(forMs)} ms`)
    this.#held = []
    this.#world.scheduler.after(forMs, () => this.thaw())
    this.#world.froze(this)
  }

  thaw(): void {
    const held = this.#held
    if (held === undefined) return
    this.#world.trace(() => `${this.name}: continues`)
    this.#held = undefined
    for (const run of held) this.#world.scheduler.after(0, () => this.#whenGoing(run))
  }

  #whenGoing(run: () => void): void {
    if (!this.isAlive) return
    if (this.#held !== undefined) this.#held.push(run)
    else run()
  }
}

/** Messages can contain a fencing token, which differs from run to run. So the trace has only the code. */
function reasonOf(error: unknown): string {
  return error instanceof UpswellError ? error.code : (error as Error).message
}

/** Mostly a few ms, at times so long that other calls overtake it. */
function latencyMs(random: Random): number {
  const chance = random.next()
  return chance < 0.9 ? 0.1 + chance * 5 : random.between(5, 120)
}
