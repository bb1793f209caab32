import { once } from 'node:events'
import { connect } from 'node:net'
import { assertPortFree, freePorts } from './free-ports.ts'
import { fetchMavenArtifacts } from './maven-artifacts.ts'
import { makeWorkDir, type ServerProcess, startServerProcess } from './server-process.ts'

export type RedisOptions = {
  readonly port?: number
  /**
   * Every write is then on disk there before it is answered; without it a stopped Redis has lost everything.
   */
  readonly dataDir?: string
}

/** Starts a Redis on 127.0.0.1. Needs what `missingForMaven` checks. */
export async function startRedis(options: RedisOptions = {}): Promise<ServerProcess> {
  const { redisServer } = await fetchMavenArtifacts()
  const port = options.port ?? (await freePorts(1))[0]!
  await assertPortFree(port)
  const workDir = await makeWorkDir('redis')
  const keep = options.dataDir !== undefined
  const args = [
    ...['--bind', '127.0.0.1', '--port', String(port), '--dir', options.dataDir ?? workDir],
    ...['--save', '', '--appendonly', keep ? 'yes' : 'no', '--appendfsync', 'always'],
  ]
  return startServerProcess({
    name: 'Redis',
    command: redisServer,
    args,
    workDir,
    port,
    isReady: () => answersPing(port),
    readyTimeoutMs: 10_000,
    stopSignal: keep ? 'SIGTERM' : 'SIGKILL',
  })
}

async function answersPing(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    socket.setTimeout(1_000, () => socket.destroy(new Error('no answer')))
    socket.write('PING\r\n')
    const [answer] = await once(socket, 'data')
    // While it loads its data, it answers -LOADING.
    return String(answer).startsWith('+PONG')
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
