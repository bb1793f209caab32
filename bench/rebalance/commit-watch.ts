import { setTimeout as sleep } from 'node:timers/promises'
import { kafkaClients } from '../../src/log/kafka/client.ts'
import { connectionTo } from '../machine/bench-topics.ts'

export interface WatchedGroup {
  readonly brokers: readonly string[]
  readonly group: string
  readonly topic: string
}

const LOOK_INTERVAL_MS = 25

/** Watches the committed offset of each partition of a group, to which records come all the time. */
export class CommitWatch {
  /** Partition → the moments at which its offset had moved, ms. */
  readonly #moves = new Map<number, number[]>()
  readonly #offsets = new Map<number, number>()
  readonly #stopping = new AbortController()
  readonly #running: Promise<void>

  constructor(watched: WatchedGroup) {
    this.#running = this.#look(watched)
  }

  /** Resolves when each of `partitions` partitions has moved since `sinceMs`. */
  async untilMoved(partitions: number, sinceMs: number, patienceMs: number): Promise<void> {
    const deadlineMs = performance.now() + patienceMs
    const hasMoved = (partition: number) => (this.#moves.get(partition)?.at(-1) ?? 0) > sinceMs
    while (!Array.from({ length: partitions }, (_, partition) => partition).every(hasMoved)) {
      if (performance.now() > deadlineMs) throw new Error(`no commit in every partition for ${patienceMs} ms`)
      await sleep(LOOK_INTERVAL_MS)
    }
  }

  /** The longest time without a commit since `sinceMs`, by partition, ms. */
  longestPauses(partitions: number, sinceMs: number): number[] {
    return Array.from({ length: partitions }, (_, partition) => {
      const moves = (this.#moves.get(partition) ?? []).filter(atMs => atMs > sinceMs)
      const pauses = moves.map((atMs, i) => atMs - (moves[i - 1] ?? sinceMs))
      return Math.max(...pauses)
    })
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }

  async #look({ brokers, group, topic }: WatchedGroup): Promise<void> {
    const clients = kafkaClients(connectionTo(brokers))
    const admin = clients.create().admin()
    while (!this.#stopping.signal.aborted) {
      try {
        await admin.connect()
        const [found] = await admin.fetchOffsets({ groupId: group, topics: [topic] })
        const nowMs = performance.now()
        for (const { partition, offset } of found!.partitions) this.#see(partition, Number(offset), nowMs)
      } catch {
        // The broker is away: nothing moves.
      }
      await sleep(LOOK_INTERVAL_MS)
    }
    await admin.disconnect().catch(() => {})
    clients.close()
  }

  #see(partition: number, offset: number, nowMs: number): void {
    if (offset <= (this.#offsets.get(partition) ?? 0)) return
    this.#offsets.set(partition, offset)
    this.#moves.set(partition, [...(this.#moves.get(partition) ?? []), nowMs])
  }
}
