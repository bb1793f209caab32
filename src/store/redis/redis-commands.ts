/**
 * Each command that the Redis store sends or that its scripts run, with arguments on keys that nobody uses. A
 * user with restricted rights needs all of them. `key`: makes a key of the namespace.
 */
export function redisCommands(key: (rest: string) => string): readonly (readonly string[])[] {
  const one = key('doctor')
  return [
    ['PING'],
    ['TIME'],
    ['INFO'],
    ['GET', one],
    ['MGET', one],
    ['HGET', one, 'field'],
    ['HMGET', one, 'field'],
    ['HGETALL', one],
    ['SMEMBERS', one],
    ['EXISTS', one],
    ['ZRANGEBYSCORE', one, '0', '0'],
    ['ZRANGEBYLEX', one, '-', '+'],
    ['ZREVRANGEBYLEX', one, '+', '-'],
    ['ZCOUNT', one, '0', '0'],
    ['SCAN', '0'],
    ['SET', one, ''],
    ['SETNX', one, ''],
    ['HSET', one, 'field', ''],
    ['HDEL', one, 'field'],
    ['HINCRBY', one, 'field', '0'],
    ['SADD', one, ''],
    ['SREM', one, ''],
    ['ZADD', one, '0', ''],
    ['ZREM', one, ''],
    ['DEL', one],
    ['UNLINK', one],
    ['EVAL', 'return 0', '1', one],
    ['EVALSHA', '0'.repeat(40), '1', one],
  ]
}
