import { kafkaClients } from '../../src/log/kafka/client.ts'
import type { Log } from '../../src/log/log.ts'
import type { Signal } from '../../src/signals/signal.ts'
import { connectionTo } from '../machine/bench-topics.ts'
import { createRandom } from '../signals/random.ts'
import { benchSignals, SIGNAL_STREAM } from '../signals/signals.ts'

export interface RebuildSignals {
  readonly accounts: number
  readonly perAccount: number
  readonly seed: number
}

/**
 * The bench's signals, spread evenly over the accounts. The time of a rebuild depends on the number of
 * accounts, and few are as large as the largest of the Zipf stream.
 */
export function* rebuildSignals({ accounts, perAccount, seed }: RebuildSignals): Generator<Signal> {
  const random = createRandom(seed + 1)
  const usersOf = Uint8Array.from({ length: accounts }, () => 1 + random.below(SIGNAL_STREAM.users))
  for (const signal of benchSignals({ count: accounts * perAccount, seed })) {
    const account = random.below(accounts)
    const accountId = `account-${account}`
    yield { ...signal, accountId, userId: `${accountId}-user-${random.below(usersOf[account]!)}` }
  }
}

/** Moves the group to the topic's end, as if it had scored everything in it. */
export async function commitAll(
  brokers: readonly string[],
  log: Log,
  group: string,
  topic: string,
): Promise<void> {
  const clients = kafkaClients(connectionTo(brokers))
  const admin = clients.create().admin()
  try {
    await admin.connect()
    const partitions = [...(await log.ranges(topic))].map(([partition, { end }]) => ({
      partition,
      offset: String(end),
    }))
    await admin.setOffsets({ groupId: group, topic, partitions })
  } finally {
    await admin.disconnect()
    clients.close()
  }
}
