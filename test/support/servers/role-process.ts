import { expect } from 'vitest'
import { CliProcess, type Environment, untilJson } from '../../commands/cli.ts'

const STOP_WITHIN_MS = 10_000

/** Starts a role; its log says where it answers. */
export async function startRole(
  main: string,
  role: string,
  env: Environment,
): Promise<{ upswell: CliProcess; url: string }> {
  const upswell = new CliProcess(main, [role], { env })
  const [, url] = await upswell.says(/ (http:\/\/127\.0\.0\.1:\d+) answers \/livez, \/readyz and \/metrics"/)
  return { upswell, url: url! }
}

export async function untilReady(url: string): Promise<void> {
  await untilJson(`${url}/readyz`, ({ status }) => status === 200)
}

export async function stopInTime(upswell: CliProcess): Promise<void> {
  const askedAt = performance.now()
  expect(await upswell.kill('SIGTERM')).toMatchObject({ code: 0, signal: null, stderr: '' })
  expect(performance.now() - askedAt).toBeLessThan(STOP_WITHIN_MS)
}

export interface LoggedLine {
  readonly level: string
  readonly time: string
  readonly msg: string
  readonly [field: string]: unknown
  readonly thread?: string
}

/** What an operator reads: a line of JSON each. */
export function logged(upswell: { readonly stdout: string }): LoggedLine[] {
  return upswell.stdout
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line))
}
