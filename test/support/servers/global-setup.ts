import type { TestProject } from 'vitest/node'
import type { ServiceAddresses, UnavailableServices } from './service-addresses.ts'
import { startServices } from './services.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    services: ServiceAddresses | UnavailableServices
  }
}

/**
 * Starts Kafka and Redis once for a run of the integration tests; vitest calls what it returns at the end.
 */
export async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const services = await startServices()
  if ('unavailable' in services) {
    const required = process.env['UPSWELL_REQUIRE_INTEGRATION'] === '1'
    const notice = unavailableNotice(services.unavailable, required)
    if (required) throw new Error(notice)
    process.stderr.write(`\n${notice}\n`)
    project.provide('services', services)
    return undefined
  }
  const { stop, ...addresses } = services
  project.provide('services', addresses)
  return stop
}

function unavailableNotice(reason: string, required: boolean): string {
  const bar = '='.repeat(100)
  const outcome = required ? 'UPSWELL_REQUIRE_INTEGRATION=1 forbids to skip' : 'skipped:'
  return [
    bar,
    `NO KAFKA AND NO REDIS; ${outcome} every test in test/integration.`,
    '',
    reason,
    '',
    'To run them, do one of these:',
    '  - start Docker;',
    '  - put Java 17 (or later) and Maven on PATH;',
    '  - set KAFKA_BROKERS and REDIS_URL to servers that tests may write to.',
    bar,
  ].join('\n')
}
