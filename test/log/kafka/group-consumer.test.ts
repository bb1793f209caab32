import type { Kafka } from 'kafkajs'
import { expect, test } from 'vitest'
import { CREATE_CLUSTER } from '../../../src/kafka-wire/hooks/kafkajs-cluster.ts'
import { GroupConsumer } from '../../../src/log/kafka/group-consumer.ts'

/** A client whose consumer does nothing until the test says what kafkajs reports. */
function startConsumer() {
  const listeners = new Map<string, (event: { payload: object }) => void>()
  const names = ['CRASH', 'FETCH_START', 'GROUP_JOIN', 'HEARTBEAT', 'REBALANCING']
  const create = Symbol(CREATE_CLUSTER)
  const client = {
    [create]: (_: object) => ({ findGroupCoordinator: async () => ({}) }),
    consumer: () => ({
      events: Object.fromEntries(names.map(name => [name, name])),
      on: (name: string, listener: (event: { payload: object }) => void) => listeners.set(name, listener),
      connect: async () => {},
      subscribe: async () => {},
      run: async () => {},
      pause: () => reports.push('pause'),
      disconnect: async () => {},
    }),
  }
  const reports: string[] = []
  const consumer = new GroupConsumer(
    {
      kafka: client as unknown as Kafka,
      group: 'g',
      topics: ['t'],
      sessionTimeoutMs: 6_000,
      instanceId: 'a',
      isLeaving: () => false,
    },
    {
      joining: () => reports.push('joining'),
      rebalancing: () => reports.push('rebalancing'),
      joined: assignment => reports.push(`joined ${JSON.stringify(assignment)}`),
      heard: () => reports.push('heard'),
    },
  )
  const report = (name: string, payload: object = {}) => listeners.get(name)!({ payload })
  const join = () => client[create]({}).findGroupCoordinator()
  return { consumer, join, report, reports }
}

const JOIN = ['GROUP_JOIN', { memberAssignment: { t: [0] } }] as const

test('pauses its topics before it reports the assignment, since the partitions are fetched elsewhere', async () => {
  const { join, report, reports } = startConsumer()
  await join()
  report(...JOIN)
  report('HEARTBEAT')
  report('REBALANCING')
  expect(reports).toEqual(['joining', 'pause', 'joined {"t":[0]}', 'heard', 'rebalancing'])
})

test('ends when kafkajs fetches though it has not joined: its join failed, and it has no member id', async () => {
  const { consumer, join, report } = startConsumer()
  await join()
  report('FETCH_START')
  expect(await consumer.ended).toEqual(new Error('the group could not be joined again'))
})

test('does not end when kafkajs fetches after a join', async () => {
  const { consumer, join, report } = startConsumer()
  await join()
  report(...JOIN)
  report('FETCH_START')
  report('CRASH', { error: 'the first reason' })
  expect(await consumer.ended).toBe('the first reason')
})

test('once given up, refuses to join, and reports nothing: it would take the place of the next consumer', async () => {
  const { consumer, join, report, reports } = startConsumer()
  await consumer.giveUp()
  await expect(join()).rejects.toThrow('given up')
  for (const name of ['HEARTBEAT', 'REBALANCING']) report(name)
  report(...JOIN)
  expect(reports).toEqual([])
})
