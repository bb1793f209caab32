import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { UpswellError } from '../lib/errors.ts'

/** Where a question is asked. */
export interface Terminal {
  readonly input: Readable & { readonly isTTY?: boolean }
  readonly output: Writable & { readonly isTTY?: boolean }
}

const OWN_TERMINAL: Terminal = { input: process.stdin, output: process.stderr }

/** The option of commands that ask. */
export interface ConfirmOptions {
  readonly yes?: true
}

export interface Confirmation {
  readonly options: ConfirmOptions
  /** Completes "… needs a yes". */
  readonly what: string
}

/**
 * Asks before something that cannot be undone, on a terminal. Returns whether the answer is yes; `--yes`
 * answers beforehand. Anything but y or yes is a no, and so is the end of the input.
 * @throws UpswellError INVALID_SETTINGS: nobody can be asked, and `--yes` is missing
 */
export async function confirm(
  { options, what }: Confirmation,
  { input, output }: Terminal = OWN_TERMINAL,
): Promise<boolean> {
  if (options.yes === true) return true
  if (input.isTTY !== true || output.isTTY !== true)
    throw new UpswellError(
      'INVALID_SETTINGS',
      `${what} needs a yes, and nothing was changed. Add --yes, or run the command on a terminal, where it asks.`,
    )
  const answer = await ask(`${what}? [y/N] `, { input, output })
  return /^y(es)?$/i.test(answer.trim())
}

/** An empty text if the input ends, or Ctrl-C is pressed. */
function ask(question: string, { input, output }: Terminal): Promise<string> {
  const lines = createInterface({ input, output })
  return new Promise(resolve => {
    lines.once('close', () => resolve(''))
    lines.question(question, answer => {
      resolve(answer)
      lines.close()
    })
  })
}
