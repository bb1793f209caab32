/** The cost of a piece of work in this process. */
export interface Usage {
  readonly seconds: number
  /** All threads, user and system mode. */
  readonly cpuSeconds: number
}

/** Starts the clocks. Call the result to read them. */
export function startClock(): () => Usage {
  const cpu = process.cpuUsage()
  const begin = performance.now()
  return () => {
    const seconds = (performance.now() - begin) / 1000
    const { user, system } = process.cpuUsage(cpu)
    return { seconds, cpuSeconds: (user + system) / 1e6 }
  }
}

/** The most memory that this process has held. */
export function peakRssBytes(): number {
  return process.resourceUsage().maxRSS * 1024
}

/**
 * Collects garbage of the preparations, so that the work is not charged for it. Does nothing without
 * --expose-gc.
 */
export function collectGarbage(): void {
  ;(globalThis as { gc?: () => void }).gc?.()
}

/** Milliseconds on a clock that all processes of this machine share and nobody adjusts. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
