import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'

/** @throws Error when something listens on the port: its answers would be taken for those of a server just started */
export async function assertPortFree(port: number): Promise<void> {
  await closeAll([await listen(port)])
}

/** `count` different TCP ports of 127.0.0.1 that the operating system called free just now. */
export async function freePorts(count: number): Promise<readonly number[]> {
  // All are held at once, or the same port could be handed out twice.
  const servers = await Promise.all(Array.from({ length: count }, () => listen(0)))
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
