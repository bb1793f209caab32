import type { KafkaAdmin } from './admin.ts'

export interface InstanceHolder {
  readonly memberId: string
  /** As the broker saw it, for example `/10.0.0.7`. */
  readonly clientHost: string
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/**
 * The member of the group that has this instance id now. Brokers name a member by its instance id and a UUID;
 * the version of the answer that kafkajs reads has no instance ids.
 * @throws UpswellError LOG_UNAVAILABLE
 */
export async function findHolder(
  admin: Pick<KafkaAdmin, 'groupMembers'>,
  group: string,
  instanceId: string,
): Promise<InstanceHolder | undefined> {
  const prefix = `${instanceId}-`
  const members = await admin.groupMembers(group)
  return members.find(
    ({ memberId }) => memberId.startsWith(prefix) && UUID.test(memberId.slice(prefix.length)),
  )
}

/** What an operator reads while another process has this one's instance id. */
export function describeFence(group: string, instanceId: string, holder: InstanceHolder | undefined): string {
  const where = holder === undefined ? '' : ` from ${holder.clientHost.replace(/^\//, '')}`
  return (
    `another process joined the group ${group}${where} with this one's instance id, ${instanceId}; ` +
    'this process reads nothing until the other has left: stop one of them, or give each its own ' +
    'UPSWELL_INSTANCE_ID'
  )
}
