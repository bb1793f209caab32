import { once } from 'node:events'

/** Writes to standard output, and waits while its reader is slow. A reader that has gone, as `head` does, ends the process. */
export async function writeOut(text: string): Promise<void> {
  // Only once: an error of a write that was not waited for may come much later.
  if (!process.stdout.listeners('error').includes(endIfReaderLeft))
    process.stdout.on('error', endIfReaderLeft)
  if (!process.stdout.write(text)) await once(process.stdout, 'drain')
}

function endIfReaderLeft(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
}
