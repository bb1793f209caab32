"""A member of a group with librdkafka, to compare with: reads a topic and commits every 250 ms.

  python librdkafka-member.py BROKERS GROUP TOPIC NAME [static]

Needs `pip install confluent-kafka`. With `static`, NAME is its group.instance.id.
"""
import signal
import sys
import time

from confluent_kafka import Consumer

brokers, group, topic, name = sys.argv[1:5]
settings = {
    'bootstrap.servers': brokers,
    'group.id': group,
    # The assignment goes by the members' ids, which begin with this name.
    'client.id': name,
    'partition.assignment.strategy': 'roundrobin',
    # As Upswell has them.
    'session.timeout.ms': 30_000,
    'heartbeat.interval.ms': 1_000,
    'enable.auto.commit': False,
    'auto.offset.reset': 'earliest',
    # librdkafka otherwise waits for up to 10 s before it connects again.
    'reconnect.backoff.max.ms': 1_000,
}
if 'static' in sys.argv[5:]:
    settings['group.instance.id'] = name
consumer = Consumer(settings)
consumer.subscribe([topic])

running = True


def stop(*_):
    global running
    running = False


signal.signal(signal.SIGTERM, stop)
committed_at = time.monotonic()
has_more = False
while running:
    message = consumer.poll(0.05)
    has_more = has_more or (message is not None and message.error() is None)
    if has_more and time.monotonic() > committed_at + 0.25:
        consumer.commit(asynchronous=True)
        committed_at = time.monotonic()
        has_more = False
consumer.close()
