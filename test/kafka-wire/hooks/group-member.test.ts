import { Kafka } from 'kafkajs'
import { expect, it } from 'vitest'
import { asGroupMember, type GroupMember } from '../../../src/kafka-wire/hooks/group-member.ts'
import { internal } from '../../../src/kafka-wire/hooks/internals.ts'
import {
  type CreateRequest,
  createCluster,
  type KafkaBroker,
  type KafkaCluster,
  type RequestDefinitions,
} from '../../../src/kafka-wire/hooks/kafkajs-cluster.ts'

const ID = 'my-instance'
const REQUESTS = {
  joinGroup: { rebalanceTimeout: 1, sessionTimeout: 1, memberId: 'm', groupProtocols: [] },
  syncGroup: { generationId: 1, memberId: 'm', groupAssignment: [] },
  heartbeat: { groupGenerationId: 1, memberId: 'm' },
  leaveGroup: { memberId: 'm' },
}
type Name = keyof typeof REQUESTS

it.each(Object.keys(REQUESTS) as Name[])('gives the instance id to %s', async name => {
  const { ask, sent } = await coordinator({ instanceId: ID })
  await ask(name)
  expect(sent).toHaveLength(1)
  expect(sent[0]!.includes(Buffer.from(ID))).toBe(true)
})

it.each(Object.keys(REQUESTS) as Name[])(
  'leaves %s of a member without an instance id as it is',
  async name => {
    const { ask, sent } = await coordinator({})
    await ask(name)
    expect(sent[0]!.includes(Buffer.from(ID))).toBe(false)
  },
)

it('does not leave the group while the member is to keep its place', async () => {
  const { ask, sent } = await coordinator({ instanceId: ID, leaves: () => false })
  await ask('leaveGroup')
  expect(sent).toEqual([])
  await ask('heartbeat')
  expect(sent).toHaveLength(1)
})

it('asks before each attempt to join, and passes on why not', async () => {
  let asked = 0
  const joining = coordinator({
    beforeJoin: () => {
      asked++
      throw new Error('given up')
    },
  })
  await expect(joining).rejects.toThrow('given up')
  expect(asked).toBe(1)
})

/** A broker of kafkajs that speaks the newest versions and sends nothing, as a consumer's join finds it. */
async function coordinator(parts: Partial<GroupMember>) {
  const sent: Buffer[] = []
  const Broker = internal<new (options: object) => KafkaBroker>('broker/index.js')
  const connectionPool = {
    send: async ({ request }: { request: { encode(): Promise<{ buffer: Buffer }> } }) => {
      sent.push((await request.encode()).buffer)
    },
  }
  const logger = { namespace: () => logger, debug: () => {}, info: () => {} }
  const broker = new Broker({ connectionPool, logger })
  broker.lookupRequest = <Request>(_: number, { protocol, versions }: RequestDefinitions<Request>) =>
    protocol({ version: Number(versions.at(-1)) }) as CreateRequest<Request>
  const prototype = internal<{ prototype: KafkaCluster }>('cluster/index.js').prototype
  const find = prototype.findGroupCoordinator
  prototype.findGroupCoordinator = async () => broker
  try {
    const kafka = asGroupMember(new Kafka({ brokers: ['localhost:9092'] }), {
      instanceId: undefined,
      beforeJoin: () => {},
      leaves: () => true,
      ...parts,
    })
    const cluster = createCluster(kafka, {})
    const seen = (await cluster.findGroupCoordinator({ groupId: 'g' })) as unknown as Record<
      Name,
      (request: object) => Promise<unknown>
    >
    return { sent, ask: (name: Name) => seen[name]({ groupId: 'g', ...REQUESTS[name] }) }
  } finally {
    prototype.findGroupCoordinator = find
  }
}
