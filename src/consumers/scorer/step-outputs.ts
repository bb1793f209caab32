import type { DecodedRecords } from '../../log/decode-signals-topic.ts'
import type { OutgoingRecord } from '../../log/log.ts'
import { deadLetterRecord, eventRecord } from '../../log/output-records.ts'
import type { TopicNames } from '../../log/topic-names.ts'
import type { FoldResult } from '../../scoring/fold.ts'
import type { Announcement } from './publication.ts'
import type { StepReport, UnreadBegun } from './step-report.ts'

/** What came of a step's records. */
export interface FoldedStep {
  readonly partition: number
  readonly topic: string
  readonly records: number
  readonly rejections: DecodedRecords['rejections']
  /** What a promotion announces of the accounts that the step touched. */
  readonly announced: readonly Announcement[]
  readonly folded: FoldResult
}

/** What a step publishes. @param promotedAt the offset of the promotion that is announced */
export function outputsOf(
  { partition, rejections, announced, folded }: FoldedStep,
  topics: TopicNames,
  promotedAt: number | undefined,
): OutgoingRecord[] {
  return [
    ...rejections.map(({ record, rejection }) => deadLetterRecord(topics, record, rejection)),
    ...announced.flatMap(({ events }) =>
      events.map(event => eventRecord(topics, event, `${partition}:${promotedAt}`)),
    ),
    ...folded.events.map(({ offset, event }) => eventRecord(topics, event, `${partition}:${offset}`)),
  ]
}

/** @param refolded whether the records were committed before */
export function reportOf(
  { topic, records, rejections, announced, folded }: FoldedStep,
  unread: UnreadBegun,
  refolded: boolean,
): StepReport {
  return {
    topic,
    records,
    outcomes: folded.outcomes,
    rejected: rejections.length,
    reasons: rejections.map(({ rejection }) => rejection.code),
    limits: folded.limits,
    unread,
    events: [...announced.flatMap(({ events }) => events), ...folded.events.map(({ event }) => event)],
    refolded,
  }
}

export function bytesOf(outputs: readonly OutgoingRecord[]): number {
  let bytes = 0
  for (const { key, value } of outputs) bytes += (key?.length ?? 0) + (value?.length ?? 0)
  return bytes
}
