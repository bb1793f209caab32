import type { RecordList } from '../../log/log.ts'
import { recordKind } from '../../log/own-records.ts'
import { publishedMetadata } from '../../log/published-offset.ts'

/** Where a session found the partition. Each is the offset of the first record that is not included. */
export interface FoundOffsets {
  readonly stored: number
  readonly scoresPublished: number
  readonly committed: number
  /**
   * After a tool moved the group, scores of records between `scoresPublished` and this offset may be
   * published, and may be newer than what is folded now.
   */
  readonly uncertainBefore: number
}

// | treatment      | committed | scores published | stored | what is done                              |
// | -------------- | --------- | ---------------- | ------ | ----------------------------------------- |
// | stored         | yes or no | yes              | yes    | the group's offset moves past it          |
// | refoldSilently | yes       | yes              | no     | fold, store                               |
// | refold         | yes       | no               | no     | fold, publish scores, store               |
// | live           | no        | no               | no     | fold, publish events, then scores, store  |
/** How a record is treated, by how far its partition is. */
export type Treatment = 'stored' | 'refoldSilently' | 'refold' | 'live'

/** Records `from` to before `to` of a batch, all treated the same way. */
export interface Step {
  readonly treatment: Treatment
  readonly from: number
  readonly to: number
  /** The offset after the last record. */
  readonly nextOffset: number
  readonly isPromotion: boolean
}

/** The step's first `most` records. */
export function firstRecords(records: RecordList, step: Step, most: number): Step {
  const to = Math.min(step.to, step.from + most)
  return to === step.to ? step : { ...step, to, nextOffset: records.at(to - 1)!.offset + 1 }
}

/**
 * A tick is a step of its own, with the accounts that it makes due. A promotion changes what its lineage
 * publishes.
 */
const ALONE = new Set<string | undefined>(['tick', 'promotion'])

/**
 * How far one partition is. Each offset is that of the first record that is not included:
 *
 *     stored ≤ scoresPublished ≤ committed ≤ folded
 *
 * A session starts with `folded` at `stored`, and refolds the records up to the committed offset that it
 * found.
 */
export class PartitionOffsets {
  readonly found: FoundOffsets
  #stored: number
  #scoresPublished: number
  #folded: number

  constructor(found: FoundOffsets) {
    this.found = found
    this.#stored = found.stored
    this.#scoresPublished = found.scoresPublished
    this.#folded = found.stored
  }

  get stored(): number {
    return this.#stored
  }

  get scoresPublished(): number {
    return this.#scoresPublished
  }

  get folded(): number {
    return this.#folded
  }

  /** Where a session starts to read. */
  get start(): number {
    return Math.min(this.found.committed, this.found.stored)
  }

  get hasUnstored(): boolean {
    return this.#folded > this.#stored
  }

  get hasUnpublishedScores(): boolean {
    return this.#folded > this.#scoresPublished
  }

  /**
   * Whether the published scores of an account may differ from its state even if it did not move: one of its
   * records may have been scored before, and published as it was then. Its first flush in this session
   * publishes it again. `lastOffset`: of the account in the store.
   */
  isUncertain(lastOffset: number): boolean {
    const { scoresPublished, uncertainBefore } = this.found
    return this.#scoresPublished < uncertainBefore && lastOffset < scoresPublished
  }

  /** The metadata of a commit, when the scores of all records before this offset are published. */
  metadata(scoresPublished = this.#scoresPublished): string {
    return publishedMetadata(scoresPublished, this.found.uncertainBefore)
  }

  /** Memory holds the step's records too. */
  foldedTo({ nextOffset }: Step): void {
    this.#folded = nextOffset
  }

  /** The store and account-scores are as memory is. */
  flushed(): void {
    this.#stored = this.#folded
    this.#scoresPublished = Math.max(this.#scoresPublished, this.#folded)
  }

  /** Cuts a batch where the treatment changes, and around ticks and promotions. */
  split(records: RecordList): Step[] {
    const steps: Step[] = []
    const add = (from: number, to: number): void => {
      const first = records.at(from)!
      steps.push({
        treatment: this.#treatmentOf(first.offset),
        from,
        to,
        nextOffset: records.at(to - 1)!.offset + 1,
        isPromotion: recordKind(first) === 'promotion',
      })
    }
    let from = 0
    let treatment: Treatment | undefined
    let isAlone = false
    for (let i = 0; i < records.length; i++) {
      const record = records.at(i)!
      const next = this.#treatmentOf(record.offset)
      const nextIsAlone = ALONE.has(recordKind(record))
      if (i > 0 && (next !== treatment || isAlone || nextIsAlone)) {
        add(from, i)
        from = i
      }
      treatment = next
      isAlone = nextIsAlone
    }
    if (records.length > 0) add(from, records.length)
    return steps
  }

  /**
   * Whether memory must be flushed before this step: what is folded silently must not be published with it,
   * and what precedes a promotion is published as the lineage was before it.
   */
  needsFlushBefore({ treatment, isPromotion }: Step): boolean {
    return isPromotion || (treatment !== 'refoldSilently' && !this.hasUnpublishedScores)
  }

  #treatmentOf(offset: number): Treatment {
    const { stored, scoresPublished, committed } = this.found
    if (offset < stored) return 'stored'
    if (offset >= committed) return 'live'
    return offset < scoresPublished ? 'refoldSilently' : 'refold'
  }
}
