import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { parse } from 'yaml'
import { PACKAGE_ROOT } from '../../src/app/config.ts'
import { describeIntegration } from '../support/servers/integration.ts'

/** A port on which nobody listens. */
const NOBODY = '127.0.0.1:1'

describeIntegration("the compose file's health check of Kafka", ({ kafkaBrokers }) => {
  /** Runs the check of the container against another broker. Returns the exit code. */
  function check(broker: string): Promise<number> {
    const { services } = parse(readFileSync(join(PACKAGE_ROOT, 'docker-compose.yml'), 'utf8'), {
      merge: true,
    })
    const [how, command, ...args] = services.kafka.healthcheck.test as string[]
    expect(how).toBe('CMD')
    const script = args.at(-1)!.replaceAll('$$', '$').replace('127.0.0.1/9092', broker.replace(':', '/'))
    return new Promise(resolve => {
      execFile(command!, [...args.slice(0, -1), script], error => resolve(error === null ? 0 : 1))
    })
  }

  it('is healthy while the broker answers', async () => {
    expect(await check(kafkaBrokers.split(',')[0]!)).toBe(0)
    expect(await check(NOBODY)).toBe(1)
  })
})
