import { describe, inject, it } from 'vitest'
import type { ServiceAddresses } from './service-addresses.ts'

/**
 * `describe` for tests in test/integration: skipped where there is no Kafka and no Redis (see
 * global-setup.ts).
 */
export function describeIntegration(name: string, fn: (services: ServiceAddresses) => void): void {
  const services = inject('services')
  // A skipped suite's body would run all the same, with no addresses to give it.
  if ('unavailable' in services) describe.skip(name, () => it('needs a Kafka and a Redis', () => {}))
  else describe(name, () => fn(services))
}
