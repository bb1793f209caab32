import { Presets, SingleBar } from 'cli-progress'

export interface Progress {
  readonly update: (done: number) => void
  readonly stop: () => void
}

/** A bar on a terminal; nothing when standard error is a file or a pipe. Without `total` it only counts. */
export function progressBar(title: string, unit: string, total?: number): Progress {
  if (!process.stderr.isTTY) return { update: () => {}, stop: () => {} }
  const bar = barOf(
    total === undefined
      ? `${title} {value} ${unit}, {duration_formatted}`
      : `${title} {bar} {value}/{total} ${unit}, {eta_formatted} left`,
  )
  bar.start(total ?? 0, 0)
  return {
    update: done => bar.update(done),
    stop: () => bar.stop(),
  }
}

export interface ProgressReport {
  /** `total` may change meanwhile. */
  readonly update: (done: number, total: number) => void
  readonly stop: () => void
}

/** For long work that may run unwatched: a bar on a terminal; in a file or pipe a line every 10 s. */
export function progressReport(title: string, unit: string): ProgressReport {
  if (!process.stderr.isTTY) return progressLines(title, unit)
  const bar = barOf(`${title} {bar} {value}/{total} ${unit}, {eta_formatted} left`)
  bar.start(0, 0)
  return {
    update: (done, total) => {
      bar.setTotal(total)
      bar.update(done)
    },
    stop: () => bar.stop(),
  }
}

function barOf(format: string): SingleBar {
  return new SingleBar(
    { format, clearOnComplete: true, hideCursor: true, stream: process.stderr },
    Presets.shades_classic,
  )
}

const LINE_INTERVAL_MS = 10_000

function progressLines(title: string, unit: string): ProgressReport {
  const startedAtMs = performance.now()
  let firstDone: number | undefined
  let printedAtMs = startedAtMs
  return {
    update: (done, total) => {
      firstDone ??= done
      const nowMs = performance.now()
      if (nowMs - printedAtMs < LINE_INTERVAL_MS) return
      printedAtMs = nowMs
      const perMs = (done - firstDone) / (nowMs - startedAtMs)
      const left = perMs > 0 ? `, about ${Math.ceil((total - done) / perMs / 1000)} s left` : ''
      process.stderr.write(`${title}: ${done} of ${total} ${unit}${left}\n`)
    },
    stop: () => {},
  }
}
