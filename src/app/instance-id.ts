import { hostname } from 'node:os'
import type { Config } from './config.ts'

/** A machine with such a name shares it with others. */
const SHARED_NAMES: ReadonlySet<string> = new Set(['', 'localhost', 'localhost.localdomain'])

/**
 * Names this process in its consumer groups, the same after a restart. By default this is where it listens:
 * two processes of a host cannot listen at the same address and port. Undefined: a restart could not have it
 * again (port 0), or other hosts would have it too. Then each start is a new member.
 */
export function instanceIdOf(
  { host, instanceId, port }: Pick<Config, 'host' | 'instanceId' | 'port'>,
  hostName = hostname(),
): string | undefined {
  if (instanceId !== '') return instanceId
  if (port === 0 || SHARED_NAMES.has(hostName)) return undefined
  return `${hostName}-${host}-${port}`.replaceAll(/[^A-Za-z0-9._-]/g, '_')
}

/** Each score thread is a member of its own. Threads count from 1. */
export function threadInstanceId(instanceId: string | undefined, thread: number): string | undefined {
  return instanceId === undefined ? undefined : `${instanceId}.thread-${thread}`
}
