import { deferred } from '../../src/lib/deferred.ts'
import type { ConsumeOptions, Log } from '../../src/log/log.ts'
import { monotonicMs } from '../machine/monotonic.ts'

/**
 * What a scorer tells the process that measures it. A scorer is a member of the group: a process, or each of its threads, and `member` says which one of the process. `atMs`: see
 * `monotonicMs`.
 */
export type ScorerMessage =
  /** It is there, and would join the group now. */
  | { readonly type: 'ready'; readonly member: number }
  | { readonly type: 'assigned' | 'released'; readonly member: number; readonly partition: number }
  | { readonly type: 'first-record'; readonly atMs: number }
  | { readonly type: 'failed'; readonly message: string }

/** What it is told, in this order. */
export type ScorerCommand = 'join' | 'begin'

/** Has a log join the group when it is told to, tell which partitions it holds, begin to read them when it is told to, and tell when it takes the first record. */
export function watchLog(log: Log, member: number, tell: (message: ScorerMessage) => void) {
  const commands = { join: deferred(), begin: deferred() }
  const consume = log.consume.bind(log)
  log.consume = async options => {
    tell({ type: 'ready', member })
    await commands.join.promise
    return consume(watched(options))
  }
  const watched = (options: ConsumeOptions): ConsumeOptions => {
    const { handler } = options
    let hasBegun = false
    return {
      ...options,
      handler: {
        assigned: async session => {
          const offset = await handler.assigned(session)
          tell({ type: 'assigned', member, partition: session.partition })
          await commands.begin.promise
          return offset
        },
        process: (session, records) => {
          if (!hasBegun) {
            hasBegun = true
            tell({ type: 'first-record', atMs: monotonicMs() })
          }
          return handler.process(session, records)
        },
        released: session => {
          tell({ type: 'released', member, partition: session.partition })
          handler.released(session)
        },
      },
    }
  }
  return (command: ScorerCommand): void => commands[command].resolve()
}
