import { CLOCK_TOLERANCE_MS } from '../../lib/trusted-clock.ts'
import type { KafkaFacts } from '../../log/kafka/inspect/kafka-facts.ts'
import type { RedisFacts } from '../../store/redis/inspect-redis.ts'
import { type Finding, notChecked, ok, problem, warning } from './finding.ts'
import { durationText } from './units.ts'

const TOLERATED = `a difference of ${durationText(CLOCK_TOLERANCE_MS)} or less`
/** The brokers refuse records that are further ahead of their own clocks. */
const REFUSED_MS = 3_600_000
const NEARLY_MS = 10_000

/** Compares this machine's clock with that of Redis. */
export function judgeRedisClock({ aheadMs }: RedisFacts): Finding {
  if ('reason' in aheadMs) return notChecked('redis-clock', aheadMs.reason)
  const found = `Redis is ${aheadText(aheadMs.value)} this machine's clock (${new Date().toISOString()})`
  if (Math.abs(aheadMs.value) > CLOCK_TOLERANCE_MS)
    return problem(
      'redis-clock',
      found,
      TOLERATED,
      'set both clocks (NTP): with such a difference a scorer starts with the earlier time',
    )
  if (Math.abs(aheadMs.value) > NEARLY_MS)
    return warning('redis-clock', found, `${durationText(NEARLY_MS)}, with NTP`, 'check NTP on both machines')
  return ok('redis-clock', found)
}

/** Compares the brokers' clocks with the clocks of the processes that wrote signals. */
export function judgeKafkaClock({ clocks }: KafkaFacts): Finding {
  if ('reason' in clocks) return notChecked('kafka-clock', clocks.reason)
  if (clocks.value.length === 0)
    return notChecked(
      'kafka-clock',
      'brokers do not tell their time, and no transaction of live signals is among the latest records',
    )
  const worst = clocks.value.toSorted((a, b) => Math.abs(b.aheadMs) - Math.abs(a.aheadMs))[0]!
  const found = `the leader of partition ${worst.partition} was ${aheadText(worst.aheadMs)} the process that wrote a signal at ${new Date(worst.at).toISOString()}`
  const distance = Math.abs(worst.aheadMs)
  const advice = 'compare the clocks of the brokers and of the processes (NTP)'
  if (worst.aheadMs < -REFUSED_MS) return problem('kafka-clock', found, TOLERATED, advice)
  if (distance > CLOCK_TOLERANCE_MS) return warning('kafka-clock', found, TOLERATED, advice)
  return ok('kafka-clock', found)
}

/** `30 s ahead of` or `1.5 s behind` */
function aheadText(ms: number): string {
  return `${durationText(Math.abs(ms))} ${ms < 0 ? 'behind' : 'ahead of'}`
}
