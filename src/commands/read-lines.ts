import type { Readable } from 'node:stream'

const NEWLINE = 0x0a

/**
 * Lines as bytes: made a text, what is not UTF-8 would be changed without a word.
 * @param failure what is thrown where the input cannot be read, or breaks off
 */
export async function* readLines(
  input: Readable,
  failure: (error: unknown) => Error,
): AsyncGenerator<Buffer> {
  let begun: Buffer[] = []
  try {
    for await (const chunk of input as AsyncIterable<Buffer>) {
      let start = 0
      for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
        yield Buffer.concat([...begun, chunk.subarray(start, end)])
        begun = []
        start = end + 1
      }
      begun.push(chunk.subarray(start))
    }
  } catch (error) {
    throw failure(error)
  }
  yield Buffer.concat(begun)
}

export function isBlank(line: Buffer): boolean {
  return line.every(byte => byte === 0x20 || byte === 0x09 || byte === 0x0d)
}
