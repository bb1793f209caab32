import { endProcess } from '../../lib/end-process.ts'

const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const
type StopSignal = keyof typeof EXIT_CODES

/** Listens for SIGINT and SIGTERM: the first one asks the command to stop, the second one ends it at once. */
export class StopRequests {
  readonly #onFirst: () => void
  readonly #onSecond: () => void
  #exitCode: number | undefined

  /**
   * @param onFirst may end a wait that would never end
   * @param onSecond is called just before the process ends
   */
  constructor(onFirst: () => void, onSecond: () => void) {
    this.#onFirst = onFirst
    this.#onSecond = onSecond
    process.on('SIGINT', this.#stop)
    process.on('SIGTERM', this.#stop)
  }

  /** The exit code of a command that was stopped: 130 or 143. Undefined: nobody asked it to stop. */
  get exitCode(): number | undefined {
    return this.#exitCode
  }

  close(): void {
    process.off('SIGINT', this.#stop)
    process.off('SIGTERM', this.#stop)
  }

  readonly #stop = (signal: NodeJS.Signals): void => {
    if (this.#exitCode !== undefined) {
      this.#onSecond()
      endProcess(EXIT_CODES[signal as StopSignal])
      return
    }
    this.#exitCode = EXIT_CODES[signal as StopSignal]
    this.#onFirst()
  }
}
