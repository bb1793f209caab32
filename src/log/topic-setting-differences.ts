import { HELD_DAYS } from '../signals/time.ts'
import { SOURCE_TOPICS } from './topic-names.ts'
import { FARTHEST_TIMESTAMP, type WantedTopic } from './topic-settings.ts'

/** What is compared: the settings have the names that Kafka gives them. */
export type Compared =
  | 'partitions'
  | 'replicas'
  | 'settings'
  | 'min.insync.replicas'
  | 'cleanup.policy'
  | 'min.compaction.lag.ms'
  | 'retention.ms'
  | 'retention.bytes'
  | 'message.timestamp.type'
  | typeof FARTHEST_TIMESTAMP
  | typeof EARLIEST_TIMESTAMP
  | 'max.message.bytes'

/** A difference without the name of its topic. */
export interface Difference {
  readonly setting: Compared
  readonly found: string
  readonly accepted: string
  /** An error loses data or stops the work; a warning is a choice that an operator may make knowingly. */
  readonly severity: 'error' | 'warning'
  /** A sentence: what happens if it stays. */
  readonly why: string
  /** A sentence: what to do. */
  readonly remedy: string
}

export type FoundSettings = Readonly<Record<string, string>>

/** Brokers' default of `max.message.bytes`, and what every topic must take. */
export const BROKERS_LARGEST_BYTES = 1_048_576
const DAY_MS = 86_400_000
/** A signal may be ten minutes ahead of the clock of ingest. */
const FARTHEST_SIGNAL_MS = 600_000
/** Kafka's name; brokers before 3.6 do not know it. */
const EARLIEST_TIMESTAMP = 'message.timestamp.before.max.ms'

/**
 * Compares the settings that the broker shows. A setting that it does not know is not reported.
 * @param largestBytes of a record that may become a dead letter
 */
export function compareSettings(
  wanted: WantedTopic,
  found: FoundSettings,
  largestBytes: number,
): (Difference | undefined)[] {
  const compared: Comparison = { ...wanted, wanted: wanted.config ?? {}, found }
  return [
    compareCleanup(compared),
    compareCompactionLag(compared),
    ...(['retention.ms', 'retention.bytes'] as const).map(setting => compareRetention(compared, setting)),
    compareTimestampType(compared),
    compareFarthest(compared),
    compareEarliest(compared),
    compareSize(compared, largestBytes),
  ]
}

interface Comparison {
  readonly name: string
  readonly role: WantedTopic['role']
  readonly wanted: Readonly<Record<string, string>>
  readonly found: FoundSettings
}

type Report = Pick<Difference, 'setting' | 'accepted' | 'severity' | 'why'>

/** `value`: to set; undefined: the topic's own value is to be removed. */
function differenceOf({ name, found }: Comparison, report: Report, value?: string): Difference {
  const { setting } = report
  const change = value === undefined ? `Remove ${setting}` : `Set ${setting}=${value}`
  return {
    ...report,
    found: found[setting]!,
    remedy: `${change} with kafka-configs.sh --alter --entity-type topics --entity-name ${name}.`,
  }
}

function compareCleanup(compared: Comparison): Difference | undefined {
  const { role, wanted, found } = compared
  const setting = 'cleanup.policy'
  const isSource = role in SOURCE_TOPICS
  const accepted = wanted[setting] ?? 'delete'
  if (found[setting] === undefined || found[setting] === accepted) return undefined
  const why = isSource
    ? 'Kafka deletes older signals of a key, also those that ingest has not read.'
    : accepted === 'compact'
      ? 'Kafka deletes records that are still needed: the newest record of each key must stay.'
      : 'Kafka deletes older records of an account: compaction keeps only the newest one of each key.'
  return differenceOf(
    compared,
    { setting, accepted, severity: isSource ? 'warning' : 'error', why },
    accepted,
  )
}

function compareCompactionLag(compared: Comparison): Difference | undefined {
  const { wanted, found } = compared
  const setting = 'min.compaction.lag.ms'
  const accepted = wanted[setting]
  if (accepted === undefined || !(Number(found[setting]) < Number(accepted))) return undefined
  return differenceOf(
    compared,
    {
      setting,
      accepted: `${accepted} or more`,
      severity: 'warning',
      why: 'An unfinished checkpoint can replace records of the last complete one.',
    },
    accepted,
  )
}

/** A replay, and a rebuild without checkpoints, need the log from its beginning. Sources wait for ingest. */
function compareRetention(
  compared: Comparison,
  setting: 'retention.ms' | 'retention.bytes',
): Difference | undefined {
  const { role, found } = compared
  const limit = Number(found[setting])
  if (!(limit >= 0)) return undefined
  if (role in SOURCE_TOPICS)
    return setting === 'retention.ms' && limit < DAY_MS
      ? differenceOf(
          compared,
          {
            setting,
            accepted: `${DAY_MS} (a day) or more, and longer than you ever stop ingest`,
            severity: 'warning',
            why: 'Kafka deletes signals that ingest has not read.',
          },
          String(7 * DAY_MS),
        )
      : undefined
  if (role !== 'signals') return undefined
  // What is older than the days that are held changes no window; facts and contracts have no such end.
  const isLong = setting === 'retention.ms' && limit >= HELD_DAYS * DAY_MS
  return differenceOf(
    compared,
    {
      setting,
      accepted: '-1',
      severity: isLong ? 'warning' : 'error',
      why: isLong
        ? 'Kafka deletes old signals: a replay, and a rebuild without checkpoints, lose facts and contracts that are older.'
        : 'Kafka deletes signals that scores follow from, and history that is loaded with its own times at once: no replay has them, and a lost Redis needs a checkpoint.',
    },
    '-1',
  )
}

function compareTimestampType(compared: Comparison): Difference | undefined {
  const { wanted, found } = compared
  const setting = 'message.timestamp.type'
  const accepted = wanted[setting]
  if (accepted === undefined || found[setting] === undefined || found[setting] === accepted) return undefined
  return differenceOf(
    compared,
    {
      setting,
      accepted,
      severity: 'error',
      why: 'The brokers replace the times of the signals, and scores follow from these times.',
    },
    accepted,
  )
}

function compareFarthest(compared: Comparison): Difference | undefined {
  const { wanted, found } = compared
  const most = wanted[FARTHEST_TIMESTAMP]
  const limit = Number(found[FARTHEST_TIMESTAMP])
  if (most === undefined || Number.isNaN(limit)) return undefined
  const isShort = limit < FARTHEST_SIGNAL_MS
  if (!isShort && limit <= Number(most)) return undefined
  return differenceOf(
    compared,
    {
      setting: FARTHEST_TIMESTAMP,
      accepted: `${FARTHEST_SIGNAL_MS} to ${most}`,
      severity: isShort ? 'error' : 'warning',
      why: isShort
        ? 'A signal may be ten minutes ahead: the brokers refuse it, and ingest stops.'
        : 'A machine whose clock is far ahead can write times of the future into the log.',
    },
    most,
  )
}

function compareEarliest(compared: Comparison): Difference | undefined {
  const { role, found } = compared
  if (role !== 'signals' || !(Number(found[EARLIEST_TIMESTAMP]) < HELD_DAYS * DAY_MS)) return undefined
  return differenceOf(compared, {
    setting: EARLIEST_TIMESTAMP,
    accepted: `${HELD_DAYS * DAY_MS} (${HELD_DAYS} days) or more`,
    severity: 'warning',
    why: 'The brokers refuse history: it is loaded with the times of its signals.',
  })
}

/** A record that does not fit stops its partition. A dead letter is its record, and some headers. */
function compareSize(compared: Comparison, largestBytes: number): Difference | undefined {
  const { role, wanted, found } = compared
  const setting = 'max.message.bytes'
  const least = role === 'dead-letter' ? 2 * largestBytes : BROKERS_LARGEST_BYTES
  if (role in SOURCE_TOPICS || !(Number(found[setting]) < least)) return undefined
  return differenceOf(
    compared,
    {
      setting,
      accepted: `${least} or more`,
      severity: 'error',
      why:
        role === 'dead-letter'
          ? 'A rejected record that is larger does not fit, and ingest stops at it.'
          : 'A larger record does not fit, and its partition stops at it.',
    },
    String(Math.max(least, Number(wanted[setting] ?? least))),
  )
}
