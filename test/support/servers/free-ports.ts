import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'

/**
 * @throws Error when something listens on the port: its answers would be taken for the answers of a server
 * just started
 */
export async function assertPortFree(port: number): Promise<void> {
  await closeAll([await listen(port)])
}

/**
 * Below the ports that systems choose for connections: a connection could take a port before its server does.
 */
const [FIRST_PORT, LAST_PORT] = [12_000, 31_999]

/**
 * `count` different free TCP ports of 127.0.0.1, chosen by chance: two runs at a time choose different ones.
 */
export async function freePorts(count: number): Promise<readonly number[]> {
  // All are held at once, or the same port could be handed out twice.
  const servers: Server[] = []
  while (servers.length < count) {
    const server = await listen(randomInt(FIRST_PORT, LAST_PORT + 1)).catch(() => undefined)
    if (server !== undefined) servers.push(server)
  }
  const ports = servers.map(server => (server.address() as AddressInfo).port)
  await closeAll(servers)
  return ports
}

async function listen(port: number): Promise<Server> {
  const server = createServer().listen(port, '127.0.0.1')
  await once(server, 'listening')
  return server
}

async function closeAll(servers: readonly Server[]): Promise<void> {
  await Promise.all(servers.map(server => once(server.close(), 'close')))
}
