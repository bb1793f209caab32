import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { RETRY_PROMISE } from '../src/api/documents/retry-promise.ts'
import { PACKAGE_ROOT } from '../src/app/config.ts'

/** The text in one line. */
function textOf(page: string): string {
  return readFileSync(join(PACKAGE_ROOT, page), 'utf8').replaceAll(/\s+/g, ' ')
}

test.each([
  'schemas/signal.schema.json',
  'docs/load-history.md',
  'docs/override-a-score.md',
  'docs/runbook.md',
  'docs/how-a-score-is-defined.md',
  'CHANGELOG.md',
])('%s promises what the API promises about a signal that is sent again', page => {
  expect(textOf(page).toLowerCase()).toContain(RETRY_PROMISE)
})
