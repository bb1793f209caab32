/** `not checked`: nobody knows, and `found` says why. It is never taken for ok. */
export type State = 'ok' | 'warning' | 'problem' | 'not checked'

/** The result of one check. */
export interface Finding {
  readonly check: CheckId
  readonly state: State
  readonly found: string
  /** Set with a warning and a problem. */
  readonly accepted?: string
  /** What to do; set with a warning and a problem. */
  readonly advice?: string
}

/**
 * Check → the heading under which it is reported, in the order of the report. docs/doctor.md describes each.
 */
export const CHECKS = {
  node: 'Process',
  memory: 'Process',
  'model-files': 'Process',
  folder: 'Data folder',
  'folder-space': 'Data folder',
  'folder-process': 'Data folder',
  brokers: 'Kafka',
  'kafka-version': 'Kafka',
  'kafka-settings': 'Kafka',
  transactions: 'Kafka',
  'kept-offsets': 'Kafka',
  'internal-topics': 'Kafka',
  'instance-ids': 'Kafka',
  authorizer: 'Permissions in Kafka',
  'topic-permissions': 'Permissions in Kafka',
  'group-permissions': 'Permissions in Kafka',
  'transaction-permissions': 'Permissions in Kafka',
  'topics-there': 'Topics',
  'topic-partitions': 'Topics',
  'topic-replicas': 'Topics',
  'topic-retention': 'Topics',
  'topic-cleanup': 'Topics',
  'topic-times': 'Topics',
  'topic-sizes': 'Topics',
  redis: 'Redis',
  'redis-role': 'Redis',
  'redis-eviction': 'Redis',
  'redis-memory': 'Redis',
  'redis-persistence': 'Redis',
  'redis-permissions': 'Redis',
  'redis-clock': 'Clocks',
  'kafka-clock': 'Clocks',
  'active-models': 'Models',
  'model-names': 'Models',
  'log-beginning': 'Log and store',
  'store-partitions': 'Log and store',
  'store-position': 'Log and store',
  'score-group': 'Log and store',
  'ingest-group': 'Log and store',
  'dead-letters': 'Log and store',
  replays: 'Log and store',
} as const satisfies Record<string, string>

export type CheckId = keyof typeof CHECKS

export function ok(check: CheckId, found: string): Finding {
  return { check, state: 'ok', found }
}

export function warning(check: CheckId, found: string, accepted: string, advice: string): Finding {
  return { check, state: 'warning', found, accepted, advice }
}

export function problem(check: CheckId, found: string, accepted: string, advice: string): Finding {
  return { check, state: 'problem', found, accepted, advice }
}

export function notChecked(check: CheckId, reason: string): Finding {
  return { check, state: 'not checked', found: reason }
}
