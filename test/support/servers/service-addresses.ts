export type ServiceAddresses = {
  /** As in KAFKA_BROKERS: `host:port`, with commas between. */
  readonly kafkaBrokers: string
  readonly redisUrl: string
  readonly source: 'environment' | 'docker' | 'maven'
}

export type RunningServices = ServiceAddresses & { stop(): Promise<void> }

export type UnavailableServices = { readonly unavailable: string }
