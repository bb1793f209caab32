import { answered } from '../../lib/attempt.ts'
import type { KafkaFacts } from '../../log/kafka/inspect/kafka-facts.ts'
import { type Finding, notChecked, ok, warning } from './finding.ts'
import { namesText } from './units.ts'

const CHECK = 'instance-ids'
const JOIN_GROUP = 11
/** The first version of JoinGroup that has instance ids. */
const WITH_INSTANCE_IDS = 5

/**
 * Whether members keep their place in the groups after a restart.
 * @param ownId of a process with these settings on this machine; undefined: it has none
 */
export function judgeInstanceIds({ brokers, groups }: KafkaFacts, ownId: string | undefined): Finding {
  const connected = brokers.flatMap(({ address, connected }) => {
    const versions = answered(connected)?.versions
    return versions === undefined ? [] : [{ address, versions }]
  })
  if (connected.length === 0) return notChecked(CHECK, 'no broker answers')
  const old = connected.filter(({ versions }) => (versions[JOIN_GROUP]?.maxVersion ?? 0) < WITH_INSTANCE_IDS)
  if (old.length > 0)
    return warning(
      CHECK,
      `no static membership: ${old.map(({ address }) => address).join(', ')}`,
      'brokers that answer version 5 of JoinGroup: Kafka 2.3 or later',
      'upgrade Kafka: until then, a group waits for the session of each process that was killed',
    )
  const members = membersOf(groups)
  const found = `${membersText(groups)}; here a process has ${ownId ?? 'none'}`
  const doubled = sharedHostNames(members)
  if (doubled.length > 0)
    return warning(
      CHECK,
      `several machines have the host name ${namesText(doubled)}; ${found}`,
      'a host name of its own for each machine, or UPSWELL_INSTANCE_ID',
      'rename the machines, or set UPSWELL_INSTANCE_ID: with one id and port, only the newer process works',
    )
  if (ownId === undefined || members.some(({ instanceId }) => instanceId === undefined))
    return warning(
      CHECK,
      found,
      'an instance id for each process',
      'set UPSWELL_INSTANCE_ID, or give the machine a name other than localhost and set UPSWELL_PORT: without an id, the group waits for the session of a process that was killed',
    )
  return ok(CHECK, found)
}

type Groups = KafkaFacts['groups']

function membersOf(groups: Groups) {
  return groups.flatMap(([, facts]) => answered(facts)?.members ?? [])
}

function membersText(groups: Groups): string {
  const texts = groups.map(([group, facts]) => {
    if ('reason' in facts) return `${group} is not known (${facts.reason})`
    const members = facts.value.members.map(({ instanceId, host }) => `${instanceId ?? 'no id'} (${host})`)
    return members.length === 0 ? `${group} has no members` : `${group} has ${namesText(members.sort(), 12)}`
  })
  return texts.join('; ')
}

/** Host names in default ids that members have on more than one machine. */
function sharedHostNames(members: ReturnType<typeof membersOf>): string[] {
  const hosts = new Map<string, Set<string>>()
  for (const { instanceId, host } of members) {
    const name = hostNameIn(instanceId)
    if (name !== undefined) hosts.set(name, (hosts.get(name) ?? new Set()).add(host))
  }
  return [...hosts].filter(([, addresses]) => addresses.size > 1).map(([name]) => name)
}

/** A default id is host name, address and port; a score thread adds its number. */
function hostNameIn(instanceId = ''): string | undefined {
  return /^(.+)-[^-]+-\d+$/.exec(instanceId.replace(/\.thread-\d+$/, ''))?.[1]
}
