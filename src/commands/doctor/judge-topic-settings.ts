import type { KafkaFacts, Settings } from '../../log/kafka/inspect/kafka-facts.ts'
import { SOURCE_TOPICS } from '../../log/topic-names.ts'
import { FARTHEST_TIMESTAMP } from '../../log/topic-settings.ts'
import { HELD_DAYS } from '../../signals/time.ts'
import { type FoundTopic, withSettings } from './checked-topics.ts'
import { differentSettings } from './different-settings.ts'
import { type Finding, ok, problem, warning } from './finding.ts'
import { durationText, namesText } from './units.ts'

type KnownTopic = FoundTopic & { readonly settings: Settings }

const DAY_MS = 86_400_000
/** Signals may be ten minutes ahead of ingest. */
const FARTHEST_SIGNAL_MS = 600_000
const BROKERS_DEFAULT_BYTES = 1_048_576

/** The settings of topics that Upswell relies on. */
export function judgeTopicSettings(facts: KafkaFacts, found: readonly FoundTopic[]): Finding[] {
  const judges = [
    ['topic-retention', judgeRetention],
    ['topic-cleanup', judgeCleanup],
    ['topic-times', judgeTimes],
    ['topic-sizes', judgeSizes],
  ] as const
  return judges.map(([check, judge]) => {
    const known = withSettings(check, facts, found)
    return 'check' in known ? known : judge(known)
  })
}

/** A rebuild without checkpoints, and every replay, need the log from its beginning. */
function judgeRetention(topics: readonly KnownTopic[]): Finding {
  const logs = topics.filter(({ role }) => role === 'signals')
  const finite = logs.flatMap(({ name, wanted, settings }) =>
    differentSettings(wanted, settings)
      .filter(({ setting }) => setting.startsWith('retention.'))
      .map(difference => ({ ...difference, name })),
  )
  const found = finite
    .map(each => `${each.setting} of ${each.name} is ${each.found ?? 'not known'}`)
    .join(', ')
  const accepted =
    'retention.ms=-1 and retention.bytes=-1: a replay and a rebuild read the log from its beginning'
  const names = [...new Set(finite.map(({ name }) => name))]
  const advice = `run kafka-configs.sh --alter --entity-type topics --entity-name ${names[0]} --add-config retention.ms=-1,retention.bytes=-1`
  // What is older than the days that are held changes no window; facts and contracts have no such end.
  const isLong = finite.every(
    ({ setting, found: ms }) => setting === 'retention.ms' && Number(ms) >= HELD_DAYS * DAY_MS,
  )
  if (finite.length > 0)
    return isLong
      ? warning('topic-retention', found, accepted, advice)
      : problem('topic-retention', found, accepted, advice)
  const short = topics.filter(
    ({ role, settings }) => role in SOURCE_TOPICS && isShort(Number(settings['retention.ms'] ?? -1)),
  )
  if (short.length > 0)
    return warning(
      'topic-retention',
      `sources keep records for less than a day: ${namesText(short.map(({ name }) => name))}`,
      'longer than you ever stop ingest',
      'raise retention.ms of these topics',
    )
  return ok('topic-retention', `${logs.map(({ name }) => name).join(', ')}: for ever`)
}

function isShort(retentionMs: number): boolean {
  return retentionMs >= 0 && retentionMs < DAY_MS
}

/** A compacted log would lose signals; checkpoints must never lose the latest record of a key. */
function judgeCleanup(topics: readonly KnownTopic[]): Finding {
  const wrong = topics.flatMap(({ name, wanted, settings }) => {
    const policy = settings['cleanup.policy'] ?? 'delete'
    const right = wanted.config?.['cleanup.policy'] ?? 'delete'
    return policy === right ? [] : [`${name} has ${policy}, not ${right}`]
  })
  if (wrong.length > 0)
    return problem(
      'topic-cleanup',
      `cleanup.policy: ${wrong.join(', ')}`,
      'compact for account-scores and activity-checkpoints, delete for all others',
      'correct it with kafka-configs.sh --alter --add-config cleanup.policy=…, before records are lost',
    )
  const early = differencesOf(topics, ['min.compaction.lag.ms']).filter(
    ({ found, wanted }) => Number(found ?? 0) < Number(wanted),
  )
  if (early.length > 0)
    return warning(
      'topic-cleanup',
      early.map(each => `${each.setting} of ${each.name} is ${each.found ?? 'not set'}`).join(', '),
      `${early[0]!.wanted}: an unfinished checkpoint must not replace the last one`,
      `set it with kafka-configs.sh --alter --add-config min.compaction.lag.ms=${early[0]!.wanted}`,
    )
  return ok('topic-cleanup', 'each topic has its policy')
}

function differencesOf(topics: readonly KnownTopic[], settings: readonly string[]) {
  return topics.flatMap(({ name, wanted, settings: found }) =>
    differentSettings(wanted, found)
      .filter(({ setting }) => settings.includes(setting))
      .map(difference => ({ ...difference, name })),
  )
}

/** Scores follow from the times in the log. */
function judgeTimes(topics: readonly KnownTopic[]): Finding {
  const [appended] = differencesOf(topics, ['message.timestamp.type'])
  if (appended !== undefined)
    return problem(
      'topic-times',
      `message.timestamp.type of ${appended.name} is ${appended.found}`,
      `${appended.wanted}: history and repeated ingest keep the times of their signals`,
      `run kafka-configs.sh --alter --entity-type topics --entity-name ${appended.name} --add-config message.timestamp.type=${appended.wanted}`,
    )
  const [far] = differencesOf(topics, [FARTHEST_TIMESTAMP])
  const advice = (name: string, wanted: string) =>
    `run kafka-configs.sh --alter --entity-type topics --entity-name ${name} --add-config ${FARTHEST_TIMESTAMP}=${wanted}`
  if (far !== undefined && far.found !== undefined && Number(far.found) < FARTHEST_SIGNAL_MS)
    return problem(
      'topic-times',
      `${FARTHEST_TIMESTAMP} of ${far.name} is ${far.found}`,
      `${FARTHEST_SIGNAL_MS} to ${far.wanted}: a signal may be ten minutes ahead`,
      advice(far.name, far.wanted),
    )
  if (far !== undefined && !(Number(far.found) <= Number(far.wanted)))
    return warning(
      'topic-times',
      `${FARTHEST_TIMESTAMP} of ${far.name} is ${far.found ?? 'not known to these brokers'}`,
      `${far.wanted}: brokers then refuse records of a clock that is far ahead`,
      far.found === undefined ? 'upgrade Kafka to 3.6 or later' : advice(far.name, far.wanted),
    )
  const past = topics.filter(
    ({ role, settings }) =>
      role === 'signals' &&
      Number(settings[EARLIEST_TIMESTAMP] ?? Number.POSITIVE_INFINITY) < HELD_DAYS * DAY_MS,
  )
  if (past.length > 0)
    return warning(
      'topic-times',
      past
        .map(({ name, settings }) => `${EARLIEST_TIMESTAMP} of ${name} is ${settings[EARLIEST_TIMESTAMP]}`)
        .join(', '),
      `${HELD_DAYS * DAY_MS} (${HELD_DAYS} days) or more: loaded history has the times of its signals`,
      `remove ${EARLIEST_TIMESTAMP} from the topic`,
    )
  return ok('topic-times', `signals keep their own times, up to ${durationText(3_600_000)} ahead`)
}

const EARLIEST_TIMESTAMP = 'message.timestamp.before.max.ms'

/** A dead letter is as large as the record that a source took. */
function judgeSizes(topics: readonly KnownTopic[]): Finding {
  const bytesOf = ({ settings }: KnownTopic) => Number(settings['max.message.bytes'] ?? BROKERS_DEFAULT_BYTES)
  const small = topics.filter(topic => bytesOf(topic) < BROKERS_DEFAULT_BYTES)
  const written = small.filter(({ role }) => !(role in SOURCE_TOPICS))
  if (written.length > 0)
    return problem(
      'topic-sizes',
      `max.message.bytes of ${namesText(written.map(topic => `${topic.name} is ${bytesOf(topic)}`))}`,
      `${BROKERS_DEFAULT_BYTES} or more`,
      'raise max.message.bytes: a record that does not fit stops its partition',
    )
  const largest = Math.max(
    0,
    ...topics.filter(({ role }) => role in SOURCE_TOPICS || role === 'signals').map(bytesOf),
  )
  const letters = topics.filter(topic => topic.role === 'dead-letter' && bytesOf(topic) < 2 * largest)
  if (letters.length > 0)
    return problem(
      'topic-sizes',
      `max.message.bytes of ${letters.map(topic => `${topic.name} is ${bytesOf(topic)}`).join(', ')}, and a source takes ${largest}`,
      'more than every source takes, with room for headers; `topics create` sets 104857600',
      'raise max.message.bytes of dead-letter: a rejected record that does not fit stops ingest',
    )
  return ok('topic-sizes', `each topic takes records of ${BROKERS_DEFAULT_BYTES} bytes, dead-letter more`)
}
