import { Buckets } from './buckets.ts'

/** What an account did under one name, by day. */
export interface Series {
  /** `kind:name` */
  readonly key: string
  readonly days: Buckets
}

export function createSeries(key: string): Series {
  return { key, days: new Buckets() }
}
