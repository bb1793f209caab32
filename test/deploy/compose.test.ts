import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { PACKAGE_ROOT, readConfig } from '../../src/app/config.ts'

interface Service {
  readonly image: string
  readonly build?: string
  readonly pull_policy?: string
  readonly user?: string
  readonly command?: readonly string[]
  readonly ports?: readonly string[]
  readonly volumes?: readonly string[]
  readonly tmpfs: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly mem_limit: string
  readonly memswap_limit: string
  readonly cpus: number
  readonly pids_limit: number
  readonly depends_on?: Readonly<Record<string, unknown>>
  readonly healthcheck: { readonly test?: readonly string[]; readonly disable?: boolean }
  readonly [key: string]: unknown
}

const COMPOSE = parse(readFileSync(join(PACKAGE_ROOT, 'docker-compose.yml'), 'utf8'), { merge: true }) as {
  readonly services: Readonly<Record<string, Service>>
  readonly volumes: Readonly<Record<string, unknown>>
}
const SERVICES = Object.entries(COMPOSE.services)
const OWN = SERVICES.filter(([, { build }]) => build !== undefined)
const UNITS = { k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 }

/** `512m`, `512mb` → bytes. */
function bytesOf(size: string): number {
  const [, amount, unit] = /^(\d+)([kmg])b?$/.exec(size)!
  return Number(amount) * UNITS[unit as keyof typeof UNITS]
}

test('the services are Kafka, Redis and the roles; nothing runs that no other service uses', () => {
  expect(SERVICES.map(([name]) => name)).toEqual(['kafka', 'redis', 'topics', 'ingest', 'score', 'api'])
  const used = new Set(SERVICES.flatMap(([, { depends_on = {} }]) => Object.keys(depends_on)))
  expect([...used].sort()).toEqual(['kafka', 'redis', 'topics'])
})

describe.each(SERVICES)('%s', (name, service) => {
  test('has an image with a version and a digest, or is built here', () => {
    if (service.build !== undefined) {
      expect([service.build, service.image, service.pull_policy]).toEqual(['.', 'upswell:local', 'build'])
    } else {
      expect(service.image).toMatch(/^[a-z/]+:\d+\.\d+\.\d+(-[a-z]+)?@sha256:[0-9a-f]{64}$/)
    }
  })

  test('publishes its ports on this machine only', () => {
    for (const port of service.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/)
  })

  test('has no privileges, and writes only to its volume and to memory', () => {
    expect(service).toMatchObject({
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
      init: true,
    })
    expect(service['privileged'] ?? service['cap_add'] ?? service['network_mode']).toBeUndefined()
    for (const folder of service.tmpfs) expect(folder).toMatch(/^\/[a-z/]+:size=\d+m(,|$)/)
  })

  test('has bounds for memory, processor, processes and messages', () => {
    expect(bytesOf(service.mem_limit)).toBeLessThanOrEqual(2 ** 30)
    // No swap: a process that swaps is slower than one that is restarted.
    expect(service.memswap_limit).toBe(service.mem_limit)
    // More than the machine has would be refused.
    expect(service.cpus).toBe(1)
    expect(service.pids_limit).toBeLessThanOrEqual(1024)
    expect(service['logging']).toEqual({
      driver: 'json-file',
      options: { 'max-size': '10m', 'max-file': '3' },
    })
  })

  test('restarts, and has time to stop', () => {
    expect(service['restart']).toBe(name === 'topics' ? 'no' : 'unless-stopped')
    // A stop takes 15 s at most (src/commands/run.ts).
    expect(service['stop_grace_period']).toBe('30s')
  })

  test('is asked for its health without another Node or Java process', () => {
    const { test: command = [], disable } = service.healthcheck
    expect(disable === true).toBe(name === 'topics')
    expect(command.join(' ')).not.toMatch(/\bnode\b|\bjava\b|\.sh\b/)
  })
})

test.each(OWN)('%s has settings that Upswell accepts, and no volume', (_, { environment, volumes }) => {
  expect(readConfig(environment).kafkaBrokers).toEqual(['kafka:9092'])
  expect(volumes).toBeUndefined()
})

test('Redis refuses writes before its container is full, and is not root', () => {
  const { command = [], mem_limit, user } = COMPOSE.services['redis']!
  const option = (name: string) => command[command.indexOf(name) + 1]!
  expect(option('--maxmemory-policy')).toBe('noeviction')
  // While it rewrites its file, up to as much again is copied.
  expect(2 * bytesOf(option('--maxmemory'))).toBeLessThanOrEqual(bytesOf(mem_limit))
  expect(user).toMatch(/^[1-9]\d*:[1-9]\d*$/)
})

test('Kafka has memory for its heap and as much again, and may load libraries from /tmp', () => {
  const { environment, mem_limit, tmpfs } = COMPOSE.services['kafka']!
  const [, heap] = /-Xmx(\d+m)/.exec(environment!['KAFKA_HEAP_OPTS']!)!
  expect(2 * bytesOf(heap!)).toBeLessThanOrEqual(bytesOf(mem_limit))
  expect(tmpfs.find(folder => folder.startsWith('/tmp:'))).toMatch(/\bexec\b/)
})

test('each volume belongs to one service', () => {
  const used = SERVICES.flatMap(([, { volumes = [] }]) => volumes.map(volume => volume.split(':')[0]))
  expect(used.sort()).toEqual(Object.keys(COMPOSE.volumes).sort())
})
