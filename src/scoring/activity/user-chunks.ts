import type { UserChunk } from './user-chunk.ts'

/** The name of the chunk of level 0. Most accounts have all their users in it. */
const FIRST = '0'

/**
 * The chunks of an account's users by name, as in a Map. Most accounts have the first chunk alone, so it has
 * a field of its own and needs no search.
 */
export class UserChunks implements Iterable<[name: string, chunk: UserChunk]> {
  /** The chunk of level 0. */
  first: UserChunk | undefined = undefined
  #others: Map<string, UserChunk> | undefined = undefined

  get size(): number {
    return (this.first === undefined ? 0 : 1) + (this.#others?.size ?? 0)
  }

  get(name: string): UserChunk | undefined {
    return name === FIRST ? this.first : this.#others?.get(name)
  }

  has(name: string): boolean {
    return this.get(name) !== undefined
  }

  set(name: string, chunk: UserChunk): void {
    if (name === FIRST) {
      this.first = chunk
      return
    }
    this.#others ??= new Map()
    this.#others.set(name, chunk)
  }

  clear(): void {
    this.first = undefined
    this.#others = undefined
  }

  /** The first chunk, then the others in the order in which they were set. */
  *[Symbol.iterator](): Iterator<[name: string, chunk: UserChunk]> {
    if (this.first !== undefined) yield [FIRST, this.first]
    if (this.#others !== undefined) yield* this.#others
  }

  *values(): Iterable<UserChunk> {
    for (const [, chunk] of this) yield chunk
  }
}
