import type { UnreadNames } from '../../analysis/unread-names.ts'
import { counted, formatTime, grouped } from '../../console/format.ts'
import { plainText } from '../../console/terminal-text.ts'
import type { SignalOutcome } from '../../scoring/account.ts'
import { dayOf, HELD_DAYS } from '../../signals/time.ts'
import type { OrderedSignals } from '../signal-file/ordered-signals.ts'
import { nameOf } from '../signal-file/signal-file.ts'
import type { Survey } from '../signal-file/survey.ts'
import type { SendOptions } from './send-options.ts'

/** What is sent, and where. */
export interface Sending {
  readonly file: string
  readonly options: SendOptions
  readonly topic: string
  /** The name of the log: a folder or brokers. */
  readonly place: string
}

/** What `send` will do. `survey` knows the whole file, unless the lines are sent as they come. */
export function describePlan(
  { file, options, topic, place }: Sending,
  survey: Survey,
  order: OrderedSignals['order'],
): string[] {
  const name = nameOf(file)
  const into = `topic ${topic} in ${place}`
  const clock = describeClock(options, order === 'as-they-come' ? undefined : survey.until)
  const lines: string[] = []
  if (order === 'as-they-come') lines.push(`The signals of ${name} go to ${into} as they come. ${clock}`)
  else if (survey.from === undefined) {
    lines.push(`${name} has no signals.`)
    if (isRelease(options, survey))
      lines.push('Time continues from now for all accounts that are in history.')
  } else {
    const span = `from ${formatTime(survey.from)} to ${formatTime(survey.until!)}`
    lines.push(
      `${counted(survey.signals, 'signal')} of ${counted(survey.accounts, 'account')} in ${name}, ${span}, go to ${into}. ${clock}`,
    )
  }
  if (order === 'sorted') {
    const { number, newer } = survey.firstOutOfOrder!
    lines.push(
      `${name} is not in order of time (line ${grouped(number)} is older than line ${grouped(newer.number)} of its account): its signals are sent sorted by time.`,
    )
  }
  if (order === 'as-they-come' && options.clock === 'event')
    lines.push('It is too large to be sorted here: it must be in order of time, oldest first.')
  if (options.fromLine !== undefined) {
    const inOrder = order === 'sorted' ? ' in order of time' : ''
    lines.push(
      `Sending begins with line ${grouped(options.fromLine)}; the signals before it${inOrder} are skipped.`,
    )
  }
  return lines
}

/** A file without any line ends the history that was loaded before. */
function isRelease({ clock, afterwards }: SendOptions, { rejected }: Survey): boolean {
  return clock === 'event' && afterwards === 'live' && rejected.count === 0
}

function describeClock({ clock, afterwards }: SendOptions, until: number | undefined): string {
  if (clock === 'wall') return 'They are observed now.'
  const history = 'They are history: each is observed when it occurred.'
  if (afterwards === 'live') return `${history} Then time continues from now.`
  const end = until === undefined ? 'the newest signal' : formatTime(until)
  return `${history} Accounts that are not live then stay as of ${end}, each until its first live signal.`
}

/** What a person may want to know before the file is sent. */
export function planWarnings({ options }: Sending, survey: Survey, now: number): string[] {
  const warnings: string[] = []
  if (options.clock === 'wall') {
    const tooOld = survey.signalsUntilDay(dayOf(now) - HELD_DAYS)
    if (tooOld > 0)
      warnings.push(
        `${counted(tooOld, 'signal')} occurred ${HELD_DAYS} days ago or earlier, and will not count; to load history, use --clock event`,
      )
    return warnings
  }
  const outliers = survey.outliers()
  if (outliers !== undefined && options.afterwards === 'stay') {
    const { signals, firstLine, gapDays } = outliers
    warnings.push(
      `the newest ${signals === 1 ? 'signal comes' : `${grouped(signals)} signals come`} ${grouped(gapDays)} days after all others (see line ${grouped(firstLine)}): in the end all accounts that are not live are as of ${formatTime(survey.until!)}`,
    )
  }
  return warnings
}

const LISTED_NAMES = 10
const STILL_COUNTED = ' (only users, teams, locations, products and roles of such signals may count)'

/** The names that no active model reads. */
export function describeUnread(unread: UnreadNames | undefined): string[] {
  if (unread === undefined || unread.size === 0) return []
  const listed = unread.list(LISTED_NAMES)
  const width = Math.max(...listed.map(({ name }) => plainText(name).length))
  const lines = listed.map(({ name, signals, nearest }) => {
    const advice = nearest === undefined ? '' : `; did you mean ${plainText(nearest)}?`
    return `  ${plainText(name).padEnd(width)}  ${counted(signals, 'signal')}${advice}`
  })
  const further = unread.size - listed.length
  if (further > 0) lines.push(`  … and ${counted(further, 'name')} more`)
  const names = unread.size === 1 ? 'this name' : 'these names'
  const counting = listed.some(({ name }) => /^(usage|intent):/.test(name)) ? STILL_COUNTED : ''
  return [`no active model reads ${names}${counting}; check the spelling:`, ...lines]
}

/** How many signals were sent, and how many were there already. */
export function describeSent(
  { topic }: Sending,
  counts: { readonly sent: number; readonly inLog: number; readonly rejected: number },
): string {
  const { sent, inLog, rejected } = counts
  const already = inLog === 0 ? '' : `; ${grouped(inLog)} more were in the log already`
  const leftOut = rejected === 0 ? '' : `; ${counted(rejected, 'line')} left out: not signals`
  return `Sent ${counted(sent, 'signal')} to ${topic}${already}${leftOut}.`
}

/** The signals that do not count as usual; undefined if there are none. */
export function describeOutcomes(
  { late, 'too-old': tooOld, duplicate }: Readonly<Record<SignalOutcome, number>>,
  areDuplicatesComplete: boolean,
): string | undefined {
  const parts: string[] = []
  if (late > 0) parts.push(`${grouped(late)} late (from an earlier UTC day)`)
  if (tooOld > 0) parts.push(`${grouped(tooOld)} dropped (${HELD_DAYS} days old or older)`)
  if (duplicate > 0) {
    const least = areDuplicatesComplete ? '' : 'at least '
    parts.push(
      `${least}${counted(duplicate, 'duplicate')} (their account had the same id within 48 hours, and counts it once)`,
    )
  }
  return parts.length === 0 ? undefined : `As far as the file shows: ${parts.join(', ')}.`
}
