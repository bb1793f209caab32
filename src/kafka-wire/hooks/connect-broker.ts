import type { KafkaBroker } from './kafkajs-cluster.ts'

/** Connects to one node. Resolves with what closes the connection; a failed one is closed already. */
export async function connectBroker(
  broker: Pick<KafkaBroker, 'connect' | 'disconnect'>,
): Promise<() => void> {
  const close = (): void => void broker.disconnect().catch(() => {})
  try {
    await broker.connect()
  } catch (error) {
    close()
    throw error
  }
  return close
}
