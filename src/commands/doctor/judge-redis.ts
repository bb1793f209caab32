import type { RedisFacts } from '../../store/redis/inspect-redis.ts'
import { type Finding, notChecked, ok, problem, warning } from './finding.ts'
import { bytesText, countText } from './units.ts'

const NEED_AN_ANSWER = [
  'redis-role',
  'redis-eviction',
  'redis-memory',
  'redis-persistence',
  'redis-permissions',
] as const

type Known = Readonly<Record<string, string>>

/** Whether Redis keeps what is written, and takes writes. */
export function judgeRedis(facts: RedisFacts): Finding[] {
  const { address, info, settings, refused } = facts
  if ('reason' in refused && 'reason' in info && 'reason' in settings)
    return [
      problem(
        'redis',
        `${address} does not answer: ${refused.reason}`,
        'one Redis server at REDIS_URL',
        'start Redis, or correct REDIS_URL, its user and its password; scoring waits until it answers',
      ),
      ...NEED_AN_ANSWER.map(check => notChecked(check, 'Redis does not answer')),
    ]
  const permissions = judgePermissions(facts)
  const policy = judgeEviction(facts)
  if ('reason' in info) {
    const reason = `INFO is refused: ${info.reason}`
    const unknown = (['redis', 'redis-role', 'redis-memory', 'redis-persistence'] as const).map(check =>
      notChecked(check, reason),
    )
    return [...unknown, policy, permissions]
  }
  const limit = 'value' in settings ? settings.value : {}
  return [
    judgeVersion(address, info.value),
    judgeRole(info.value),
    policy,
    judgeMemory(info.value, limit),
    judgePersistence(info.value),
    permissions,
  ]
}

/** The oldest release that the tests run on. */
const OLDEST = [6, 2] as const

function judgeVersion(address: string, info: Known): Finding {
  const version = info['redis_version'] ?? ''
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const found = `${address} is Redis ${version}`
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return ok('redis', found)
  return warning('redis', found, `${OLDEST.join('.')} or later`, 'upgrade Redis: nobody tests older releases')
}

function judgeRole(info: Known): Finding {
  if (info['cluster_enabled'] === '1' || info['redis_mode'] === 'cluster')
    return problem(
      'redis-role',
      'it is a node of a Redis Cluster',
      'one primary; Redis Cluster is not supported',
      'set REDIS_URL to a Redis that is not in cluster mode',
    )
  if (info['role'] !== 'master')
    return problem(
      'redis-role',
      `it is a replica of ${info['master_host']}:${info['master_port']}`,
      'the primary',
      'set REDIS_URL to the primary, or to a name that follows it: a replica refuses writes',
    )
  const replicas = Number(info['connected_slaves'] ?? 0)
  return ok('redis-role', `primary with ${countText(replicas, 'replica')}`)
}

function judgeEviction({ info, settings }: RedisFacts): Finding {
  // INFO names the policy too, where CONFIG is refused.
  const policy =
    ('value' in settings ? settings.value['maxmemory-policy'] : undefined) ??
    ('value' in info ? info.value['maxmemory_policy'] : undefined)
  if (policy === undefined)
    return notChecked('redis-eviction', 'neither CONFIG GET nor INFO says the maxmemory-policy')
  const found = `maxmemory-policy is ${policy}`
  if (policy === 'noeviction') return ok('redis-eviction', found)
  return problem(
    'redis-eviction',
    found,
    'noeviction: with any other policy accounts are lost when memory is full',
    'run CONFIG SET maxmemory-policy noeviction, and set it in redis.conf; then run `upswell parity`',
  )
}

const FULL_SHARE = 0.9
const NEARLY_FULL_SHARE = 0.75

function judgeMemory(info: Known, settings: Known): Finding {
  const used = Number(info['used_memory'])
  const limit = Number(info['maxmemory'] ?? settings['maxmemory'] ?? 0)
  if (!(limit > 0)) {
    const machine = Number(info['total_system_memory'] ?? 0)
    return warning(
      'redis-memory',
      `${bytesText(used)} used, and maxmemory is not set (the machine has ${bytesText(machine)})`,
      'a maxmemory below what the container or machine gives Redis',
      'set maxmemory: without it the system kills a Redis that grows too large',
    )
  }
  const found = `${bytesText(used)} of ${bytesText(limit)} used`
  const accepted = `up to ${NEARLY_FULL_SHARE * 100} % of maxmemory`
  const advice = 'raise maxmemory: a full Redis refuses writes, and scoring waits'
  if (used >= FULL_SHARE * limit) return problem('redis-memory', found, accepted, advice)
  if (used >= NEARLY_FULL_SHARE * limit) return warning('redis-memory', found, accepted, advice)
  return ok('redis-memory', found)
}

function judgePersistence(info: Known): Finding {
  const failing = ['rdb_last_bgsave_status', 'aof_last_write_status', 'aof_last_bgrewrite_status'].filter(
    field => (info[field] ?? 'ok') !== 'ok',
  )
  if (failing.length > 0)
    return problem(
      'redis-persistence',
      `Redis cannot save: ${failing.map(field => `${field} is ${info[field]}`).join(', ')}`,
      'ok, or no persistence at all',
      'give its disk space and rights: Redis may refuse writes until it can save',
    )
  if (info['loading'] === '1')
    return warning(
      'redis-persistence',
      'Redis is loading its data',
      'it has loaded them',
      'wait: it refuses all commands until then',
    )
  const ways = [
    ...(info['aof_enabled'] === '1' ? ['appendonly'] : []),
    ...(Number(info['rdb_last_save_time'] ?? 0) > 0 && Number(info['rdb_saves'] ?? 0) > 0
      ? ['snapshots']
      : []),
  ]
  return ok(
    'redis-persistence',
    ways.length === 0
      ? 'no sign of any: after a restart the scorers fill it again from the log'
      : `${ways.join(' and ')}: a restart keeps most of the data`,
  )
}

function judgePermissions({ refused }: RedisFacts): Finding {
  if ('reason' in refused)
    return notChecked(
      'redis-permissions',
      `the commands could not be tried in a transaction that is then dropped: ${refused.reason}`,
    )
  if (refused.value.length === 0) return ok('redis-permissions', 'it takes every command that Upswell needs')
  const names = refused.value.map(({ command }) => command).join(', ')
  return problem(
    'redis-permissions',
    `it refuses ${names} (${refused.value[0]!.why})`,
    'every command, on all keys that begin with upswell:',
    'correct the ACL of the user in REDIS_URL (docs/doctor.md has one), or what the message names',
  )
}
