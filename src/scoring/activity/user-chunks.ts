import type { UserChunk } from './user-chunk.ts'

/** Where all users of most accounts lie. */
const FIRST = '0'

/** Chunks of an account's users by name, as in a Map; the first one, which most accounts have alone, in a field, so that it is found at once. */
export class UserChunks implements Iterable<[name: string, chunk: UserChunk]> {
  /** That of the lowest level. */
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

  /** The first one first, the others as they were set. */
  *[Symbol.iterator](): Iterator<[name: string, chunk: UserChunk]> {
    if (this.first !== undefined) yield [FIRST, this.first]
    if (this.#others !== undefined) yield* this.#others
  }

  *values(): Iterable<UserChunk> {
    for (const [, chunk] of this) yield chunk
  }
}
