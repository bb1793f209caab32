import { Presets, SingleBar } from 'cli-progress'

export interface Progress {
  readonly update: (done: number) => void
  readonly stop: () => void
}

/** A bar on a terminal; nothing where the output is kept in a file. Without `total` it only counts. */
export function progressBar(title: string, unit: string, total?: number): Progress {
  if (!process.stderr.isTTY) return { update: () => {}, stop: () => {} }
  const format =
    total === undefined
      ? `${title} {value} ${unit}, {duration_formatted}`
      : `${title} {bar} {value}/{total} ${unit}, {eta_formatted} left`
  const bar = new SingleBar(
    { format, clearOnComplete: true, hideCursor: true, stream: process.stderr },
    Presets.shades_classic,
  )
  bar.start(total ?? 0, 0)
  return {
    update: done => bar.update(done),
    stop: () => {
      bar.stop()
    },
  }
}
