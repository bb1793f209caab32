import type { Random } from '../../../src/sample/random.ts'
import type { Scheduler } from './scheduler.ts'
import type { SimulatedProcess } from './simulated-process.ts'

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

export interface Member {
  readonly process: SimulatedProcess
  /** Called with the member's partitions, some time after the generation began. */
  assigned(generation: number, partitions: readonly TopicPartition[]): void
}

/** A silent member is dropped after this. */
const SESSION_TIMEOUT_MS = 3_000

/**
 * The coordinator of a consumer group: its members, and each generation's assignment. A member learns of a
 * new generation some time later. Until then it continues with its old partitions, beside their new owner.
 */
export class Group {
  readonly #scheduler: Scheduler
  readonly #random: Random
  readonly #partitions: readonly TopicPartition[]
  #members: readonly Member[] = []
  #generation = 0

  constructor(scheduler: Scheduler, random: Random, partitions: readonly TopicPartition[]) {
    this.#scheduler = scheduler
    this.#random = random
    this.#partitions = partitions
  }

  get hasMembers(): boolean {
    return this.#members.length > 0
  }

  join(member: Member): void {
    this.#members = [...this.#members, member]
    this.rebalance()
  }

  leave(member: Member): void {
    if (!this.#members.includes(member)) return
    this.#members = this.#members.filter(other => other !== member)
    this.rebalance()
  }

  /** Drops a silent process's members after a while. If the process returns, they join again. */
  silent(process: SimulatedProcess): void {
    for (const member of this.#members.filter(each => each.process === process)) {
      this.#scheduler.after(this.#random.between(500, SESSION_TIMEOUT_MS), () => {
        if (process.isAlive && !process.isFrozen) return
        this.leave(member)
        // Runs when the process continues. It does not know of this before its next heartbeat.
        process.after(this.#random.between(0, 1_000), () => this.join(member))
      })
    }
  }

  rebalance(): void {
    this.#generation += 1
    const generation = this.#generation
    if (this.#members.length === 0) return
    const shares = new Map<Member, TopicPartition[]>(this.#members.map(member => [member, []]))
    for (const partition of this.#partitions) shares.get(this.#random.pick(this.#members))!.push(partition)
    for (const [member, share] of shares) {
      this.#scheduler.after(this.#random.between(1, 300), () =>
        member.process.after(0, () => {
          if (this.#members.includes(member)) member.assigned(generation, share)
        }),
      )
    }
  }
}
