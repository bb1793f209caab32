/** What the tier changes of a model tell of its tiers. */
export class TierNames {
  /** By number. */
  readonly names: string[] = []
  readonly #numbers = new Map<string, number>()
  /** By number: of the scores that accounts had in the tier. */
  readonly #scores: { sum: number; count: number }[] = []

  /** The number of a tier in which an account had this score. */
  seen(name: string, score: number): number {
    const number = this.numberOf(name)
    const scores = this.#scores[number]!
    scores.sum += score
    scores.count++
    return number
  }

  numberOf(name: string): number {
    let number = this.#numbers.get(name)
    if (number === undefined) {
      number = this.names.push(name) - 1
      this.#numbers.set(name, number)
      this.#scores.push({ sum: 0, count: 0 })
    }
    return number
  }

  /** Lowest first: in the order of a version that has them all, or else by the mean of the scores in them. */
  ordered(version: readonly string[] | undefined): string[] {
    if (version !== undefined && this.names.every(name => version.includes(name)))
      return version.filter(name => this.#numbers.has(name))
    const mean = (name: string): number => {
      const { sum, count } = this.#scores[this.#numbers.get(name)!]!
      // That no account was seen in, it is the one where they begin.
      return count === 0 ? Number.NEGATIVE_INFINITY : sum / count
    }
    return [...this.names].sort((a, b) => (mean(a) === mean(b) ? (a < b ? -1 : 1) : mean(a) - mean(b)))
  }
}
