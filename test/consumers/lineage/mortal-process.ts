import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import { UpswellError } from '../../../src/lib/errors.ts'
import type { Random } from '../../../src/sample/random.ts'

/**
 * A process that may die at one of its calls: before the call takes effect, or after. Nothing that it does
 * later has an effect.
 */
export class MortalProcess {
  isDead = false
  /** The last error in what it consumes. */
  problem = ''
  #callsLeft: number
  readonly #random: Random
  readonly #atDeath: (() => void)[] = []

  /** @param calls how many it makes before it dies */
  constructor(random: Random, calls = Number.POSITIVE_INFINITY) {
    this.#random = random
    this.#callsLeft = calls
  }

  onDeath(then: () => void): void {
    if (this.isDead) then()
    else this.#atDeath.push(then)
  }

  die(): void {
    if (this.isDead) return
    this.isDead = true
    for (const then of this.#atDeath) then()
  }

  async call<T>(effect: () => T | Promise<T>): Promise<T> {
    this.#requireAlive()
    if (this.#random.chance(0.02)) await sleep(1)
    else if (this.#random.chance(0.5)) await setImmediate()
    this.#requireAlive()
    this.#callsLeft--
    const isLast = this.#callsLeft <= 0
    if (isLast && this.#random.chance(0.5)) this.die()
    this.#requireAlive()
    const answer = await effect()
    if (isLast) this.die()
    this.#requireAlive()
    return answer
  }

  #requireAlive(): void {
    if (this.isDead) throw new UpswellError('LOG_UNAVAILABLE', 'this process is dead', { canRetry: true })
  }

  /** The port with every method called through this process. */
  guard<T extends object>(port: T): T {
    return new Proxy(port, {
      get: (target, name) => {
        const member = Reflect.get(target, name)
        if (typeof member !== 'function') return member
        return (...args: unknown[]) => this.call(() => Reflect.apply(member, target, args))
      },
    })
  }
}
