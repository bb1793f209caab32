import { expect, it } from 'vitest'
import { requireKnownKafkajs } from '../../../src/kafka-wire/hooks/check-kafkajs.ts'
import { installHooks } from '../../../src/kafka-wire/hooks/install-hooks.ts'
import { internal } from '../../../src/kafka-wire/hooks/internals.ts'
import type { ProduceDefinitions } from '../../../src/kafka-wire/hooks/produce-encoding.ts'
import { encodeProduce } from '../../../src/kafka-wire/produce/produce-request.ts'

interface RequestQueue {
  readonly prototype: { scheduleCheckPendingRequests(): void }
}

const produceRequests = internal<ProduceDefinitions>('protocol/requests/produce/index.js')
const { prototype: queue } = internal<RequestQueue>('network/requestQueue/index.js')
const original = { protocol: produceRequests.protocol, schedule: queue.scheduleCheckPendingRequests }

it('replaces the two functions of kafkajs once per process', async () => {
  installHooks()
  const { protocol } = produceRequests
  const schedule = queue.scheduleCheckPendingRequests
  expect(protocol).not.toBe(original.protocol)
  expect(schedule).not.toBe(original.schedule)
  installHooks()
  expect(produceRequests.protocol).toBe(protocol)
  expect(queue.scheduleCheckPendingRequests).toBe(schedule)
})

it('makes kafkajs encode produce requests with our encoder, unless they are compressed', async () => {
  const topicData = [
    { topic: 't', partitions: [{ partition: 0, messages: [{ value: 'v', timestamp: '1767600000000' }] }] },
  ]
  const given = { acks: -1, timeout: 1, topicData }
  const { protocol } = produceRequests
  expect((await protocol({ version: 7 })(given).request.encode()).buffer).toEqual(encodeProduce(given))
  const gzip = { ...given, compression: 1 }
  const expected = (await original.protocol({ version: 7 })(gzip).request.encode()).buffer
  expect((await protocol({ version: 7 })(gzip).request.encode()).buffer).toEqual(expected)
})

it('sets no timer for a queue in which nothing waits', () => {
  const idle = { pending: [], throttledUntil: -1, throttleCheckTimeoutId: null }
  queue.scheduleCheckPendingRequests.call(idle)
  expect(idle.throttleCheckTimeoutId).toBeNull()
})

it('keeps the shapes that the check expects, so that a second copy of this program would pass it', () => {
  expect(() => requireKnownKafkajs()).not.toThrow()
})
