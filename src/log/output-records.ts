import type { AlertEvent, PqlEvent, ScoringEvent, TierChange } from '../scoring/events.ts'
import { isoTime } from '../signals/iso-time.ts'
import type { Rejection } from '../signals/rejection.ts'
import { withoutControls } from '../signals/texts.ts'
import type { LogRecord, OutgoingRecord } from './log.ts'
import type { TopicNames } from './topic-names.ts'

// Output records: a JSON value with its fields in the contract's order, and CloudEvents headers in Kafka's
// binary mode. No value depends on partitions or offsets; the `sequence` is a header.

const SOURCE = '/upswell/score'

/** The record of a scoring event caused by the record at `sequence` (`partition:offset` in `signals`). */
export function eventRecord(topics: TopicNames, event: ScoringEvent, sequence: string): OutgoingRecord {
  switch (event.type) {
    case 'tier-change':
      return output(
        topics['tier-changes'],
        event,
        'com.upswell.tier-change.v1',
        tierChangeValue(event),
        sequence,
      )
    case 'pql':
      return output(
        topics['pql-events'],
        event,
        `com.upswell.pql.${event.status}.v1`,
        noticeValue(event),
        sequence,
      )
    case 'alert':
      return output(topics.alerts, event, 'com.upswell.alert.v1', noticeValue(event), sequence)
    default:
      return event satisfies never
  }
}

function output(
  topic: string,
  event: ScoringEvent,
  type: string,
  value: object,
  sequence: string,
): OutgoingRecord {
  const headers = cloudEventHeaders(event.id, type, event.accountId, event.at, sequence)
  if (event.cause.signalId !== undefined) headers['ce_causationid'] = event.cause.signalId
  return { topic, key: event.accountId, value: JSON.stringify(value), headers, timestamp: event.at }
}

export function cloudEventHeaders(
  id: string,
  type: string,
  accountId: string,
  at: number,
  sequence: string,
): Record<string, string> {
  return {
    ce_specversion: '1.0',
    ce_id: id,
    ce_type: type,
    ce_source: SOURCE,
    ce_subject: accountId,
    ce_time: isoTime(at),
    ce_sequence: sequence,
    'content-type': 'application/json',
  }
}

/** The contract of `tier-changes`: schemas/tier-change.schema.json. */
function tierChangeValue(change: TierChange): object {
  const { id, accountId, modelId, modelVersion, from, to, score, previousScore, queue, at, cause } = change
  return {
    id,
    accountId,
    modelId,
    modelVersion,
    from,
    to,
    score,
    previousScore,
    ...(queue === undefined ? {} : { queue }),
    at: isoTime(at),
    cause,
    contributions: change.contributions,
  }
}

/** The contracts of `pql-events` and `alerts`: schemas/pql-event.schema.json, schemas/alert.schema.json. */
function noticeValue(event: PqlEvent | AlertEvent): object {
  const { type: _, at, cause, ...rest } = event
  return { ...rest, at: isoTime(at), cause }
}

/**
 * A rejected record: its key, value and headers as they came, then our headers with its origin and the
 * reason. The record may have headers with the same names; ours are the last ones.
 */
export function deadLetterRecord(
  topics: TopicNames,
  record: LogRecord,
  rejection: Rejection,
): OutgoingRecord {
  return {
    topic: topics['dead-letter'],
    key: record.key,
    value: record.value,
    carriedHeaders: record.headerList,
    headers: {
      'upswell-reason': rejection.code,
      'upswell-detail': withoutControls(rejection.detail),
      'upswell-topic': record.topic,
      'upswell-partition': String(record.partition),
      'upswell-offset': String(record.offset),
      'upswell-timestamp': timeText(record.timestamp),
    },
  }
}

/**
 * RFC 3339, or the plain number if no date can be that late: some producers write timestamps in another unit.
 */
function timeText(ms: number): string {
  const date = new Date(ms)
  return Number.isNaN(date.getTime()) ? String(ms) : date.toISOString()
}
