import { PassThrough } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { confirm } from '../../src/commands/confirm.ts'

const WHAT = 'Promoting v2'

function terminal(isTTY: boolean) {
  const input = Object.assign(new PassThrough(), { isTTY })
  const output = Object.assign(new PassThrough(), { isTTY })
  return { input, output, shown: () => String(output.read() ?? '') }
}

describe('a question before something that cannot be undone', () => {
  test.each([
    ['y\n', true],
    ['YES\n', true],
    ['\n', false],
    ['n\n', false],
    ['yesterday\n', false],
    // The input ends without an answer.
    ['', false],
  ])('is asked on a terminal: %j', async (typed, answer) => {
    const { input, output, shown } = terminal(true)
    const confirmed = confirm({ options: {}, what: WHAT }, { input, output })
    input.end(typed)
    expect(await confirmed).toBe(answer)
    expect(shown()).toContain('Promoting v2? [y/N] ')
  })

  test('is answered by --yes', async () => {
    const { input, output, shown } = terminal(false)
    expect(await confirm({ options: { yes: true }, what: WHAT }, { input, output })).toBe(true)
    expect(shown()).toBe('')
  })

  test.each([
    [true, false],
    [false, true],
    [false, false],
  ])('needs --yes without a terminal (input: %s, output: %s)', async (isInput, isOutput) => {
    const [{ input }, { output }] = [terminal(isInput), terminal(isOutput)]
    await expect(confirm({ options: {}, what: WHAT }, { input, output })).rejects.toMatchObject({
      code: 'INVALID_SETTINGS',
      message:
        'Promoting v2 needs a yes, and nothing was changed. Add --yes, or run the command on a terminal, where it asks.',
    })
  })
})
