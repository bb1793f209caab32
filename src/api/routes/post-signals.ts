import { checkSignal } from '../../signals/parse-signal.ts'
import type { Rejection } from '../../signals/rejection.ts'
import type { Signal } from '../../signals/signal.ts'
import { SIGNAL_LIMITS } from '../../signals/signal-limits.ts'
import type { ApiInstance } from '../api-instance.ts'
import { type AppendSignals, appendInTime } from '../append-in-time.ts'
import { RETRY_PROMISE } from '../documents/retry-promise.ts'
import {
  type AcceptedDocument,
  AcceptedSchema,
  MAX_SIGNALS,
  problemResponses,
  SignalsSchema,
} from '../documents/schemas.ts'
import { bodyMemory } from '../plugins/limit-memory.ts'
import { Problem } from '../plugins/problems.ts'
import { NotCountedFinder } from '../read/not-counted-finder.ts'
import { formatSequence } from '../read/sequence.ts'
import type { Served } from '../read/served.ts'
import { readBefore } from '../read/signals-before.ts'

const BODY_LIMIT_BYTES = 5 * 1024 * 1024

/**
 * `POST /v1/signals`: appends to the log, all or nothing, and answers when the signals are durable. The
 * answer says which of them will not count.
 */
export function routePostSignals(
  api: ApiInstance,
  served: Served,
  appendSignals: AppendSignals,
  now: () => number,
): void {
  const notCounted = new NotCountedFinder()
  const append = appendInTime(appendSignals)
  api.post(
    '/v1/signals',
    {
      schema: {
        operationId: 'postSignals',
        summary: 'Appends one signal, or up to 500, to the log',
        tags: ['signals'],
        body: SignalsSchema,
        response: {
          202: AcceptedSchema,
          ...problemResponses({
            400: 'Nothing was written; errors lists each wrong signal, by index from 0, with the reason',
            408: 'TOO_SLOW: the body did not arrive within 10 s',
            413: 'The body is larger than 5 MiB, or unpacks to more',
            415: 'The content type is not application/json, or the content encoding is not gzip, deflate or br',
            503: `LOG_UNAVAILABLE: unknown whether the signals were written; send them again with the same ids: ${RETRY_PROMISE}`,
          }),
        },
      },
      bodyLimit: BODY_LIMIT_BYTES,
      config: { memoryBytes: bodyMemory(BODY_LIMIT_BYTES) },
      // The schema is documentation only. checkSignal decides, as it does for records of the topics.
      validatorCompiler: () => () => true,
    },
    async ({ body }, reply): Promise<AcceptedDocument> => {
      const observedAt = now()
      const values: readonly unknown[] = Array.isArray(body) ? body : [body]
      const signals = checkSignals(values, observedAt)
      const before = await readBefore(served, signals, observedAt)
      const positions = await append(signals, observedAt)
      reply.code(202)
      return {
        accepted: signals.length,
        positions: positions.map(({ partition, offset }) => ({
          partition,
          offset,
          sequence: formatSequence({ partition, offset }),
        })),
        notCounted: notCounted.find(signals, values, before, observedAt),
        allChecked: before !== undefined,
      }
    },
  )
}

/** @throws Problem INVALID_SIGNALS with an entry for each signal that is not valid */
function checkSignals(values: readonly unknown[], observedAt: number): Signal[] {
  if (values.length === 1 && values[0] === undefined)
    throw new Problem('INVALID_JSON', 'There is no body. A signal, or an array of them, is accepted.')
  if (values.length === 0 || values.length > MAX_SIGNALS) {
    const detail = `Found ${values.length} signals; 1 to ${MAX_SIGNALS} are accepted. Nothing was written.`
    throw new Problem('INVALID_SIGNALS', detail)
  }
  const signals: Signal[] = []
  const entries: (Rejection & { readonly index: number })[] = []
  for (const [index, value] of values.entries()) {
    const parsed = checkOne(value, observedAt)
    if ('signal' in parsed) signals.push(parsed.signal)
    else entries.push({ index, ...parsed.rejection })
  }
  if (entries.length === 0) return signals
  const detail = `${entries.length} of ${values.length} signals are not valid; see errors. Nothing was written.`
  throw new Problem('INVALID_SIGNALS', detail, entries)
}

/** Also refuses a signal that would be too large as a record: the scorer would refuse it later. */
function checkOne(value: unknown, observedAt: number): ReturnType<typeof checkSignal> {
  const parsed = checkSignal(value, { observedAt, defaultKind: undefined, place: 'edge' })
  if ('rejection' in parsed) return parsed
  const bytes = Buffer.byteLength(JSON.stringify(value))
  if (bytes <= SIGNAL_LIMITS.bytes) return parsed
  const detail = `the signal has ${bytes} bytes; up to ${SIGNAL_LIMITS.bytes} are accepted`
  return { rejection: { code: 'too-large', detail } }
}
