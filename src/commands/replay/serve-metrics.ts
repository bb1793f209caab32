import { once } from 'node:events'
import { createServer } from 'node:http'
import type { Registry } from 'prom-client'
import { describeError, UpswellError } from '../../lib/errors.ts'
import { print } from '../terminal.ts'

const MAX_CONNECTIONS = 100

/**
 * Answers `/metrics` for a command that runs for long. Returns a function that ends it.
 * @throws UpswellError PORT_IN_USE, INVALID_SETTINGS
 */
export async function serveMetrics(registry: Registry, host: string, port: number): Promise<() => void> {
  const server = createServer(async (request, response) => {
    if (request.url !== '/metrics') {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('only /metrics is here\n')
      return
    }
    const text = await registry.metrics()
    response.writeHead(200, { 'content-type': registry.contentType }).end(text)
  })
  // A command has no metric of what it refuses: only a scraper or two should come.
  server.maxConnections = MAX_CONNECTIONS
  server.listen(port, host)
  await once(server, 'listening').catch((error: NodeJS.ErrnoException) => {
    throw new UpswellError(
      error.code === 'EADDRINUSE' ? 'PORT_IN_USE' : 'INVALID_SETTINGS',
      `cannot answer /metrics on port ${port} of ${host}: ${describeError(error)}; choose another --metrics-port (0: any free one)`,
    )
  })
  const address = server.address()
  print(`Metrics: http://${host}:${typeof address === 'object' ? address?.port : port}/metrics`)
  return () => {
    server.close()
    server.closeAllConnections()
  }
}
