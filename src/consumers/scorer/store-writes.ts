/** Tells which writes of the store are under way. */
export class StoreWrites {
  #underWay = 0

  get isUnderWay(): boolean {
    return this.#underWay > 0
  }

  async during(write: () => Promise<void>): Promise<void> {
    this.#underWay++
    try {
      await write()
    } finally {
      this.#underWay--
    }
  }
}
