import { Kafka } from 'kafkajs'
import { requireKnownKafkajs } from './check-kafkajs.ts'
import { stopIdlePolling } from './idle-polling.ts'
import { encodeProduceFast } from './produce-encoding.ts'

const INSTALLED = Symbol.for('kafka-wire: hooks are installed')

/**
 * Checks kafkajs, then changes what it does for the whole process. Call it before the first client is made;
 * further calls do nothing.
 * @throws Error when the installed kafkajs is not the version that the hooks were written for
 */
export function installHooks(): void {
  // The mark is on kafkajs, so that it is right even if this module is loaded twice.
  if (INSTALLED in Kafka) return
  requireKnownKafkajs()
  stopIdlePolling()
  encodeProduceFast()
  Object.defineProperty(Kafka, INSTALLED, { value: true })
}
