import type { TrustedClock } from '../lib/trusted-clock.ts'
import type { OpenedBackend } from './open-backend.ts'
import { LONGEST_ANSWER_MS, PatientCheck } from './patient-check.ts'
import type { RunningRoles } from './running-roles.ts'

export interface ReadinessOptions {
  readonly roles: RunningRoles
  readonly backend: OpenedBackend
  readonly clock: Pick<TrustedClock, 'problem'>
  /** Whether it is known which lineage serves. */
  readonly isServingKnown: () => boolean
  /** What is missing of the store that the API answers from. @throws UpswellError STORE_UNAVAILABLE */
  readonly lacks: () => Promise<readonly string[]>
}

/** Finds what keeps this process from its work. It answers within 1 s, even if Kafka and Redis do not. */
export class Readiness {
  readonly #options: ReadinessOptions
  readonly #store: PatientCheck
  readonly #log: PatientCheck
  readonly #lacks: PatientCheck

  constructor(options: ReadinessOptions) {
    const { backend, lacks } = options
    this.#options = options
    this.#store = new PatientCheck(async () => {
      await backend.store.ping()
      return []
    })
    this.#log = new PatientCheck(async () => {
      await backend.log.partitions(backend.topics.signals)
      return []
    })
    this.#lacks = new PatientCheck(lacks)
  }

  /** Each `part: what is wrong`; empty: the process is ready. */
  async problems(patienceMs = LONGEST_ANSWER_MS): Promise<string[]> {
    const { roles, clock, isServingKnown } = this.#options
    const needsStore = roles.has('score') || roles.has('api')
    const [store, log, lacks] = await Promise.all([
      needsStore ? this.#store.problems(patienceMs) : [],
      this.#log.problems(patienceMs),
      roles.has('api') ? this.#lacks.problems(patienceMs) : [],
    ])
    const doubt = clock.problem()
    const found = [
      ...roles.problems(),
      ...(doubt === undefined ? [] : [`clock: ${doubt}`]),
      ...store.map(problem => `store: ${problem}`),
      ...log.map(problem => `log: ${problem}`),
    ]
    // These are read from the store and the log: if either is away, its own problem says enough.
    if (store.length > 0 || log.length > 0) return found
    found.push(...lacks.map(lack => `filling: ${lack}`))
    if (roles.has('api') && !isServingKnown() && found.length === 0)
      found.push('api: it is not known yet whether a replay was promoted')
    return found
  }
}
