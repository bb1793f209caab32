import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { type Environment, getJson, runCli, temporaryFolder } from '../commands/cli.ts'

/** What the tests of retries need of a running installation, whose model is `GROWTH`. */
export interface Retried {
  /** The command line's `main.js`, and the settings of the installation. */
  readonly main: string
  readonly env: Environment
  readonly url: string
}

/** 1,025 signals of one account in a file that is sent twice must count 1,025. */
export async function expectFileOnce({ main, env, url }: Retried): Promise<void> {
  const file = join(await temporaryFolder(), 'signals.jsonl')
  await writeFile(
    file,
    invites('from-file', 0, 1_025)
      .map(each => JSON.stringify(each))
      .join('\n'),
  )
  for (const _ of ['at first', 'again'])
    expect(await runCli(main, ['send', file], { env })).toMatchObject({ code: 0 })
  await expectCounted(url, 'from-file', 1_025)
}

/** Four requests of 500 signals of one account, and the second one again, must count 2,000. */
export async function expectRequestsOnce({ url }: Retried): Promise<void> {
  const requests = [0, 500, 1_000, 1_500].map(from => invites('from-api', from, 500))
  for (const request of [...requests, requests[1]!]) await post(url, request)
  await expectCounted(url, 'from-api', 2_000)
}

function invites(accountId: string, from: number, count: number): object[] {
  const occurredAt = new Date().toISOString()
  return Array.from({ length: count }, (_, i) => ({
    id: `${accountId}-${from + i}`,
    kind: 'usage',
    name: 'seat.invited',
    accountId,
    userId: `u${i % 7}`,
    occurredAt,
  }))
}

/** Returns the sequence of the last signal. */
async function post(url: string, signals: readonly object[]): Promise<string> {
  const response = await fetch(`${url}/v1/signals`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(signals),
  })
  expect(response.status).toBe(202)
  const { positions } = (await response.json()) as { positions: { sequence: string }[] }
  return positions.at(-1)!.sequence
}

interface Explanation {
  readonly groups: readonly {
    readonly rules: readonly {
      readonly rule: string
      readonly inputs: readonly { readonly value: unknown }[]
    }[]
  }[]
}

/** A last signal shows when everything before it is scored. */
async function expectCounted(url: string, accountId: string, count: number): Promise<void> {
  const after = await post(url, invites(accountId, 100_000, 1))
  const { status, body } = await getJson(`${url}/v1/accounts/${accountId}/explanation?after=${after}`)
  expect(status).toBe(200)
  const rules = (body as Explanation).groups.flatMap(group => group.rules)
  expect(rules.find(({ rule }) => rule === 'inviting')!.inputs[0]!.value).toBe(count + 1)
}
