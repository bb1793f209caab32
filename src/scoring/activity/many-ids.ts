import { type Hash64, highBits } from '../../lib/hash.ts'
import { ID_LIMITS } from './id-limits.ts'
import { RecentIds } from './recent-ids.ts'

// The chunks depend on the log alone: a chunk forgets old ids only when an id is added to it, and all chunks
// end when the account's clock is 48 hours past the last id. Moving the clock needs no chunk.

/**
 * The ids of an account that has too many for its core. They are in chunks by hash, which the store keeps
 * beside the user chunks.
 */
export class ManyIds {
  readonly chunks = new Map<string, IdChunk>()
  /** Every chunk that exists is in `chunks`. The next write removes all others from the store. */
  isWhole: boolean
  #lastAppliedAt: number

  /**
   * @param stored the clock when the last id was applied, ms, if the chunks are in a store. Undefined: there
   * are no ids yet.
   */
  constructor(stored?: number) {
    this.isWhole = stored === undefined
    this.#lastAppliedAt = stored ?? NEVER
  }

  /** Everything is forgotten: the account's ids are in its core again. */
  get isOver(): boolean {
    return this.#lastAppliedAt === NEVER
  }

  /** The account's clock when the last id was applied, ms. */
  get lastAppliedAt(): number {
    return this.#lastAppliedAt
  }

  /** Whether an id was applied after `time`. Its chunk must be in memory, if it exists. */
  hasSince(id: Hash64, time: number): boolean {
    return this.chunks.get(idChunkName(id))?.ids.hasSince(id, time) === true
  }

  /** Moves all ids of a core here. */
  takeAll(ids: RecentIds): void {
    for (let i = 0; i < ids.size; i++) this.add(ids.id(i), ids.appliedAt(i), Number.NEGATIVE_INFINITY)
    ids.clear()
  }

  /**
   * Adds an id that was not applied after `forgotten`. Its chunk forgets the ids up to that time, ms.
   * Returns false if the chunk was full: then its oldest id is lost.
   */
  add(id: Hash64, appliedAt: number, forgotten: number): boolean {
    const name = idChunkName(id)
    let chunk = this.chunks.get(name)
    if (chunk === undefined) {
      chunk = new IdChunk()
      this.chunks.set(name, chunk)
    }
    const { ids } = chunk
    ids.forgetUntil(forgotten)
    const hasRoom = !ids.isFull
    ids.add(id, appliedAt)
    chunk.isUnsaved = true
    this.#lastAppliedAt = appliedAt
    return hasRoom
  }

  /** The store holds every chunk now. None stays in memory: a signal rarely needs one that is there. */
  leaveToStore(): void {
    this.chunks.clear()
    this.isWhole = false
  }

  /** Forgets everything if the last id was applied at `time` or before. */
  forgetUntil(time: number): void {
    if (this.isOver || this.#lastAppliedAt > time) return
    this.chunks.clear()
    this.isWhole = true
    this.#lastAppliedAt = NEVER
  }
}

/** Some of an account's ids. */
export class IdChunk {
  readonly ids = new RecentIds(ID_LIMITS.perChunk)
  /** The store does not hold this content yet. */
  isUnsaved = false
}

const NEVER = Number.NEGATIVE_INFINITY
const PREFIX = 'i.'

/** The names of all id chunks. */
export const ID_CHUNK_NAMES: readonly string[] = Array.from(
  { length: ID_LIMITS.chunks },
  (_, i) => `${PREFIX}${i.toString(16)}`,
)

/** The name of the chunk that an id belongs to. Chunks of users and the ring's index use the low bits. */
export function idChunkName(id: Hash64): string {
  return ID_CHUNK_NAMES[highBits(id) & (ID_LIMITS.chunks - 1)]!
}

/** Whether a chunk holds ids; otherwise it holds users. */
export function isIdChunk(name: string): boolean {
  return name.startsWith(PREFIX)
}
