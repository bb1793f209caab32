import { expect, test } from 'vitest'
import type { LogFields } from '../../src/lib/logger.ts'
import { withoutRepeats } from '../../src/lib/without-repeats.ts'

test('the same warning is written once in 30 s, and the next one counts those between', () => {
  let now = 0
  const lines: unknown[] = []
  const at = (level: string) => (text: string, fields?: LogFields) => void lines.push([level, text, fields])
  const logger = withoutRepeats(
    { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') },
    () => now,
  )
  for (const second of [0, 1, 2, 31]) {
    now = second * 1_000
    logger.warn('slow', { partition: second })
  }
  logger.info('twice')
  logger.info('twice')
  expect(lines).toEqual([
    ['warn', 'slow', { partition: 0 }],
    ['debug', 'slow', { partition: 1 }],
    ['debug', 'slow', { partition: 2 }],
    ['warn', 'slow', { partition: 31, repeats: 2 }],
    ['info', 'twice', {}],
    ['info', 'twice', {}],
  ])
})
