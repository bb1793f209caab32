import { Presets, SingleBar } from 'cli-progress'

export interface ProgressReport {
  /** `total` may change on the way. */
  readonly update: (done: number, total: number) => void
  readonly stop: () => void
}

/** Where the output is kept in a file. */
const LINE_INTERVAL_MS = 10_000

/** Long work that may go on unwatched: a bar on a terminal, otherwise a line now and then with how much is done and how long it may take yet. */
export function progressReport(title: string, unit: string): ProgressReport {
  if (!process.stderr.isTTY) return lines(title, unit)
  const format = `${title} {bar} {value}/{total} ${unit}, {eta_formatted} left`
  const bar = new SingleBar(
    { format, clearOnComplete: true, hideCursor: true, stream: process.stderr },
    Presets.shades_classic,
  )
  bar.start(0, 0)
  return {
    update: (done, total) => {
      bar.setTotal(total)
      bar.update(done)
    },
    stop: () => {
      bar.stop()
    },
  }
}

function lines(title: string, unit: string): ProgressReport {
  const startedAt = performance.now()
  let firstDone: number | undefined
  let toldAt = startedAt
  return {
    update: (done, total) => {
      firstDone ??= done
      const now = performance.now()
      if (now - toldAt < LINE_INTERVAL_MS) return
      toldAt = now
      const perMs = (done - firstDone) / (now - startedAt)
      const left = perMs > 0 ? `, about ${Math.ceil((total - done) / perMs / 1000)} s left` : ''
      process.stderr.write(`${title}: ${done} of ${total} ${unit}${left}\n`)
    },
    stop: () => {},
  }
}
