import { beforeEach, expect, test } from 'vitest'
import { UpswellError } from '../../src/lib/errors.ts'
import { HeldOutages } from '../../src/lib/outages.ts'

const AWAY = new UpswellError('STORE_UNAVAILABLE', 'Redis: it is away', { canRetry: true })
const NO_KAFKA = new UpswellError('LOG_UNAVAILABLE', 'no broker answered', { canRetry: true })
const FENCED = new UpswellError('STORE_FENCED', 'another owner', {})
const SECOND_MS = 1_000

let now = 0
let lines: string[]
let outages: HeldOutages
beforeEach(() => {
  now = 1_000_000
  lines = []
  const at = (level: string) => (text: string) => void lines.push(`${level} ${text}`)
  outages = new HeldOutages({ info: at('info'), warn: at('warn'), error: at('error') }, () => now)
})

test('an outage of 24 partitions for a minute has two lines', () => {
  for (let second = 0; second < 60; second++) {
    for (let partition = 0; partition < 24; partition++) outages.failed(`signals/${partition}`, AWAY)
    now += SECOND_MS
  }
  for (let partition = 0; partition < 24; partition++) outages.works(`signals/${partition}`)
  expect(lines).toEqual([
    'warn signals/0: STORE_UNAVAILABLE: Redis: it is away; trying again',
    'info the store: the trouble is over after 60.0 s; 1440 attempts had failed',
  ])
})

test('the log and the store have an outage each', () => {
  outages.failed('signals/0', AWAY)
  outages.failed('signals/1', NO_KAFKA)
  outages.works('signals/1')
  expect(lines.map(line => line.slice(0, 30))).toEqual([
    'warn signals/0: STORE_UNAVAILA',
    'warn signals/1: LOG_UNAVAILABL',
    'info the log: the trouble is o',
  ])
})

test('a part that now fails for another reason has left the first outage', () => {
  outages.failed('signals/0', AWAY)
  outages.failed('signals/0', NO_KAFKA)
  expect(lines[1]).toMatch(/^info the store: the trouble is over/)
})

test('an outage that goes on has a line each 10 minutes', () => {
  for (let minute = 0; minute <= 20; minute++) {
    outages.failed('signals/0', AWAY)
    now += 60 * SECOND_MS
  }
  expect(lines.slice(1)).toEqual([
    'warn the store has failed for 10 min: 11 attempts failed, the last one: signals/0: STORE_UNAVAILABLE: Redis: it is away',
    'warn the store has failed for 20 min: 21 attempts failed, the last one: signals/0: STORE_UNAVAILABLE: Redis: it is away',
  ])
})

test('what fails and works in turn has a line each 30 seconds at most', () => {
  for (let second = 0; second < 60; second++) {
    outages.failed('signals/0', AWAY)
    outages.works('signals/0')
    now += SECOND_MS
  }
  expect(lines.filter(line => line.startsWith('warn'))).toHaveLength(2)
  expect(lines.filter(line => line.startsWith('info'))).toHaveLength(2)
})

test('a partition that another process took is no trouble, unless it lasts', () => {
  outages.failed('signals/0', FENCED)
  outages.works('signals/0')
  expect(lines).toEqual(['info signals/0: STORE_FENCED: another owner; trying again'])
  now += 60 * SECOND_MS
  for (let minute = 0; minute <= 10; minute++) {
    outages.failed('signals/0', FENCED)
    now += 60 * SECOND_MS
  }
  expect(lines.at(-1)).toMatch(/^warn the ownership of some partitions has failed for 10 min/)
})

test('what only a person can mend is an error, once for each refused thing', () => {
  const refused = (text: string) =>
    new UpswellError('LOG_UNAVAILABLE', text, { canRetry: true, needsPerson: true })
  for (let partition = 0; partition < 24; partition++)
    outages.failed(`signals/${partition}`, refused(`could not read signals/${partition}: not authorized`))
  outages.failed('the group g cannot consume', refused('not authorized to access the group'))
  outages.failed('signals/0', new TypeError('a bug'))
  expect(lines).toEqual([
    'error signals/0: LOG_UNAVAILABLE: could not read signals/0: not authorized; trying again',
    'error the group g cannot consume: LOG_UNAVAILABLE: not authorized to access the group; trying again',
    'error signals/0: a bug; trying again',
  ])
})
