import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { startBroker } from '../servers/java-broker.ts'
import { startRedis } from '../servers/redis-server.ts'
import type { ServerProcess } from '../servers/server-process.ts'

/** What can happen to a server. Rolled back: it restarts with an earlier copy of its data. */
export const OUTAGES = [
  'Redis emptied while it runs',
  'Redis killed',
  'Redis killed and emptied',
  'Redis killed and rolled back',
  'broker killed',
  'broker restarted',
] as const
export type Outage = (typeof OUTAGES)[number]

/** A Kafka and a Redis for one test, with data on disk. They go away and come back at the same address. */
export class Servers {
  readonly #folder: string
  #kafka: ServerProcess
  #redis: ServerProcess
  #hasCopy = false

  static async start(): Promise<Servers> {
    const folder = await mkdtemp(join(tmpdir(), 'upswell-kill-nine-'))
    const [kafka, redis] = await Promise.all([
      startBroker({ dataDir: join(folder, 'kafka') }),
      startRedis({ dataDir: await redisFolder(folder) }),
    ])
    return new Servers(folder, kafka, redis)
  }

  private constructor(folder: string, kafka: ServerProcess, redis: ServerProcess) {
    this.#folder = folder
    this.#kafka = kafka
    this.#redis = redis
  }

  get broker(): string {
    return `127.0.0.1:${this.#kafka.port}`
  }

  get redisUrl(): string {
    return `redis://127.0.0.1:${this.#redis.port}`
  }

  /** Takes the server away for `awayMs`, if the outage does that. Returns when it is back. */
  async suffer(outage: Outage, awayMs: number): Promise<void> {
    if (outage === 'broker killed' || outage === 'broker restarted') {
      const { port } = this.#kafka
      await this.#kafka.kill(outage === 'broker killed' ? 'SIGKILL' : 'SIGTERM')
      await this.#kafka.stop()
      await sleep(awayMs)
      this.#kafka = await startBroker({ dataDir: join(this.#folder, 'kafka'), port })
      return
    }
    if (outage === 'Redis emptied while it runs') {
      const redis = new Redis(this.redisUrl)
      await redis.flushall()
      redis.disconnect()
      return
    }
    const { port } = this.#redis
    await this.#redis.kill('SIGKILL')
    await this.#redis.stop()
    await this.#changeRedisData(outage)
    await sleep(awayMs)
    this.#redis = await startRedis({ dataDir: await redisFolder(this.#folder), port })
  }

  async #changeRedisData(outage: Outage): Promise<void> {
    const [data, copy] = [join(this.#folder, 'redis'), join(this.#folder, 'redis-copy')]
    const keepsData =
      outage === 'Redis killed' || (outage === 'Redis killed and rolled back' && !this.#hasCopy)
    if (keepsData) {
      await rm(copy, { recursive: true, force: true })
      await cp(data, copy, { recursive: true })
      this.#hasCopy = true
      return
    }
    await rm(data, { recursive: true, force: true })
    if (outage === 'Redis killed and rolled back') await cp(copy, data, { recursive: true })
  }

  async stop(): Promise<void> {
    await Promise.all([this.#kafka.stop(), this.#redis.stop()])
    await rm(this.#folder, { recursive: true, force: true })
  }
}

async function redisFolder(folder: string): Promise<string> {
  const path = join(folder, 'redis')
  await mkdir(path, { recursive: true })
  return path
}
