/** Moments from `from` (included) to `to` (excluded), ms. Null: open. */
export interface TimeWindow {
  readonly from: number | null
  readonly to: number | null
}

/** Which of two readings of the log: what is served, and a replay. */
export type RunSide = 'live' | 'replay'

export type BySide<T> = Readonly<Record<RunSide, T>>
