import { progressBar } from '../src/commands/progress-bar.ts'

/** How far the bench is: a bar on a terminal, else a line for each step, since it may run for an hour. */
export interface BenchProgress {
  step(done: string): void
  stop(): void
}

export function benchProgress(steps: number): BenchProgress {
  const beginMs = performance.now()
  const bar = progressBar('measuring', 'runs', steps)
  let done = 0
  return {
    step: text => {
      done++
      bar.update(done)
      if (process.stderr.isTTY) return
      const seconds = Math.round((performance.now() - beginMs) / 1000)
      process.stderr.write(`${seconds} s, ${done} of ${steps}: ${text}\n`)
    },
    stop: () => bar.stop(),
  }
}
