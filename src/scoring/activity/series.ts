import { Buckets } from './buckets.ts'

/** What an account did under one name, by day. One object with its buckets: a signal that finds it need not go on to another. */
export class Series extends Buckets {
  /** `kind:name` */
  readonly key: string

  constructor(key: string) {
    super()
    this.key = key
  }

  get days(): Buckets {
    return this
  }
}

export function createSeries(key: string): Series {
  return new Series(key)
}
