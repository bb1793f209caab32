/** The settings that every test broker has, whether Java or Docker runs it. */
export const brokerSettings: Readonly<Record<string, string>> = {
  // One node cannot hold the default of three replicas.
  'offsets.topic.replication.factor': '1',
  'transaction.state.log.replication.factor': '1',
  'transaction.state.log.min.isr': '1',
  'share.coordinator.state.topic.replication.factor': '1',
  'share.coordinator.state.topic.min.isr': '1',
  // The default of 50 partitions each makes the first join and the first transaction slow.
  'offsets.topic.num.partitions': '4',
  'transaction.state.log.num.partitions': '4',
  // A misspelt topic must fail, not appear.
  'auto.create.topics.enable': 'false',
  'group.initial.rebalance.delay.ms': '0',
  // Lets a test of failures see a lost consumer or a stuck transaction within seconds (6 s and 10 s by
  // default).
  'group.min.session.timeout.ms': '1000',
  'transaction.abort.timed.out.transaction.cleanup.interval.ms': '1000',
  // After a SIGKILL the next broker waits until the lease of the one before runs out (9 s by default).
  'broker.session.timeout.ms': '3000',
  'broker.heartbeat.interval.ms': '500',
  // 128 MB of the small heap by default.
  'log.cleaner.dedupe.buffer.size': '4194304',
}
