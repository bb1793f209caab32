import type { KafkaFacts } from '../../log/kafka/inspect/kafka-facts.ts'
import { type Finding, notChecked, ok, problem } from './finding.ts'
import { namesText } from './units.ts'

/** Topic → the operations that the roles and tools of Upswell need there. */
export type NeededOperations = ReadonlyMap<string, readonly string[]>

/** What Upswell may do in Kafka. */
export function judgePermissions(
  facts: KafkaFacts,
  needed: NeededOperations,
  transactionalIdPrefix: string,
): Finding[] {
  const { authorizer } = facts
  if ('value' in authorizer && authorizer.value === 'none')
    return [ok('authorizer', 'the brokers have no authorizer: every client may do everything')]
  const own =
    'reason' in authorizer
      ? notChecked('authorizer', authorizer.reason)
      : ok('authorizer', 'the brokers have an authorizer: the next lines are what it allows this client')
  return [own, judgeTopics(facts, needed), judgeGroups(facts), judgeIds(facts, transactionalIdPrefix)]
}

function judgeTopics({ topics, clusterOperations }: KafkaFacts, needed: NeededOperations): Finding {
  if ('reason' in topics) return notChecked('topic-permissions', topics.reason)
  const asked = topics.value.filter(({ name, state }) => needed.has(name) && state !== 'missing')
  const silent = asked.filter(({ state, operations }) => state === 'there' && operations === undefined)
  if (silent.length > 0)
    return notChecked(
      'topic-permissions',
      `the brokers do not say what is allowed on ${namesText(silent.map(({ name }) => name))}`,
    )
  const lacking = asked.flatMap(({ name, operations = [] }) => {
    const missing = needed.get(name)!.filter(operation => !operations.includes(operation))
    return missing.length === 0 ? [] : [`${missing.join(' and ')} on ${name}`]
  })
  if (lacking.length > 0)
    return problem(
      'topic-permissions',
      `not allowed: ${namesText(lacking, 20)}`,
      'READ on sources, READ and WRITE on signals and activity-checkpoints, WRITE on the outputs',
      'add the rules with kafka-acls.sh --add --allow-principal …',
    )
  if (asked.length === 0) return notChecked('topic-permissions', 'no topic is there')
  const create = clusterOperations?.includes('CREATE') === true ? ', and topics may be created' : ''
  return ok('topic-permissions', `all that is needed on ${asked.length} topics${create}`)
}

function judgeGroups({ groups }: KafkaFacts): Finding {
  const lacking: string[] = []
  const unknown: string[] = []
  for (const [group, facts] of groups) {
    if ('reason' in facts) {
      if (isRefusal(facts.reason)) lacking.push(group)
      else unknown.push(`${group} (${facts.reason})`)
    } else if (facts.value.operations === undefined) unknown.push(group)
    else if (!facts.value.operations.includes('READ')) lacking.push(group)
  }
  if (lacking.length > 0)
    return problem(
      'group-permissions',
      `READ is not allowed on the groups ${lacking.join(', ')}`,
      'READ on each group',
      'add the rules with kafka-acls.sh --add --operation READ --group …',
    )
  if (unknown.length > 0)
    return notChecked('group-permissions', `the brokers do not say what is allowed on ${unknown.join(', ')}`)
  return ok('group-permissions', `READ on ${groups.map(([group]) => group).join(', ')}`)
}

/** A broker hides a group from a user who may not describe it. */
function isRefusal(reason: string): boolean {
  return /not authorized/i.test(reason)
}

function judgeIds({ mayWriteTransactions }: KafkaFacts, prefix: string): Finding {
  if ('reason' in mayWriteTransactions)
    return notChecked('transaction-permissions', mayWriteTransactions.reason)
  if (mayWriteTransactions.value)
    return ok('transaction-permissions', `WRITE on transactional ids that begin with ${prefix}`)
  return problem(
    'transaction-permissions',
    `WRITE is not allowed on transactional ids that begin with ${prefix}`,
    'WRITE on all ids with this prefix',
    `run kafka-acls.sh --add --operation WRITE --transactional-id ${prefix} --resource-pattern-type prefixed`,
  )
}
