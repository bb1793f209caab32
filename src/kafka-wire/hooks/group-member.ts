import type { Kafka } from 'kafkajs'
import { type KafkaBroker, type RequestDefinitions, withChangedClusters } from './kafkajs-cluster.ts'

/** What a consumer of kafkajs is in its group. */
export interface GroupMember {
  /**
   * The same after a restart: the group then gives the new process the place of the old one, and nobody else
   * stops (KIP-345, `group.instance.id`). Undefined: each start is a new member.
   */
  readonly instanceId: string | undefined
  /** Called before each attempt to join. If it throws, kafkajs gives the join up with that error. */
  readonly beforeJoin: () => void
  /** Whether a consumer that stops, or that kafkajs gives up, leaves the group. */
  readonly leaves: () => boolean
}

/**
 * Makes every consumer of the client join as this member. kafkajs knows the requests with an instance id, but
 * its consumer never passes one. Brokers before 2.3 do not know them: there each start is a new member.
 */
export function asGroupMember(kafka: Kafka, member: GroupMember): Kafka {
  return withChangedClusters(kafka, cluster => {
    const find = cluster.findGroupCoordinator.bind(cluster)
    cluster.findGroupCoordinator = async options => {
      member.beforeJoin()
      return asSeenBy(member, await find(options))
    }
  })
}

/** The same broker with the same connection. kafkajs's own methods run on it, and find the two replaced. */
function asSeenBy(member: GroupMember, broker: KafkaBroker): KafkaBroker {
  const lookupRequest = <Request>(apiKey: number, definitions: RequestDefinitions<Request>) => {
    const create = broker.lookupRequest(apiKey, definitions)
    if (member.instanceId === undefined) return create
    // The requests of a group take the id; all others ignore it.
    return (request: Request) => create({ ...request, groupInstanceId: member.instanceId })
  }
  const seen: KafkaBroker = new Proxy(broker, {
    get(target, name) {
      if (name === 'lookupRequest') return lookupRequest
      if (name === 'leaveGroup') return leaveGroup
      return Reflect.get(target, name)
    },
  })
  const leaveGroup: KafkaBroker['leaveGroup'] = async request => {
    if (member.leaves()) await broker.constructor.prototype.leaveGroup.call(seen, request)
  }
  return seen
}
