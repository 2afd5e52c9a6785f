import { expect, it } from 'vitest'
import { LoginThrottle } from '../../src/auth/throttle.js'
import { prefixesOf } from '../../src/net/prefixes.js'
import { VirtualClock } from '../../src/testing/virtual-clock.js'

it('names the networks of an address', () => {
  expect(prefixesOf('192.0.2.65')).toEqual(prefixesOf('::ffff:192.0.2.65'))
  expect(prefixesOf('192.0.2.65')[1]).toBe(prefixesOf('192.0.2.127')[1])
  expect(prefixesOf('192.0.2.65')[1]).not.toBe(prefixesOf('192.0.2.63')[1])
  expect(prefixesOf('192.0.2.65')[2]).toBe(prefixesOf('192.0.7.1')[2])
  expect(prefixesOf('192.0.2.65')[2]).not.toBe(prefixesOf('192.0.8.1')[2])
  expect(prefixesOf('2001:db8::1')[0]).toBe(prefixesOf('2001:DB8:0:0:ffff::2%eth0')[0])
  expect(prefixesOf('2001:db8::1')[0]).not.toBe(prefixesOf('2001:db8:0:1::1')[0])
  expect(prefixesOf('2001:db8::1')[1]).toBe(prefixesOf('2001:db8:0:1::1')[1])
  expect(prefixesOf('2001:db8::1')[2]).toBe(prefixesOf('2001:db8:5::1')[2])
  expect(prefixesOf('::')[0]).toBe('6/64/0:0:0:0')
  const odd = ['', '999.1.1.1', '1:2:3', '::1::', '1:2:3:4:5:6:7:8:9', 'gg::', '/run/mail.sock']
  for (const text of odd) expect(prefixesOf(text)[0], text).toMatch(/^-1/)
})

it('blocks an address, its network and its block, until the minute is over', async () => {
  const clock = new VirtualClock()
  const throttle = new LoginThrottle(clock)
  const fail = (address: string, times: number): void => {
    for (let i = 0; i < times; i++) throttle.failed(address, null)
  }
  fail('192.0.2.1', 9)
  expect(throttle.isBlocked('192.0.2.1')).toBe(false)
  fail('192.0.2.1', 1)
  expect(throttle.isBlocked('192.0.2.1')).toBe(true)
  expect(throttle.isBlocked('192.0.2.2')).toBe(false)
  fail('192.0.2.2', 9)
  fail('192.0.2.3', 9)
  fail('192.0.2.4', 2)
  expect(throttle.isBlocked('192.0.2.63')).toBe(true)
  expect(throttle.isBlocked('192.0.2.64')).toBe(false)
  for (let i = 0; i < 7; i++) fail(`192.0.3.${i * 40}`, 9)
  expect(throttle.isBlocked('192.0.1.1')).toBe(true)
  expect(throttle.isBlocked('192.0.8.1')).toBe(false)
  await clock.advance(60_000)
  expect(throttle.isBlocked('192.0.2.1')).toBe(false)
})

it('delays more with each failure, up to a bound, by user as by address', async () => {
  const clock = new VirtualClock()
  const throttle = new LoginThrottle(clock)
  const delays: number[] = []
  for (let i = 0; i < 9; i++) {
    delays.push(throttle.delay('192.0.2.9', 'alice@example.test'))
    throttle.failed(`198.51.100.${i}`, 'alice@example.test')
  }
  expect(delays).toEqual([0, 0, 0, 250, 500, 1000, 2000, 4000, 5000])
  expect(throttle.delay('192.0.2.9', 'bob@example.test')).toBe(0)
  throttle.succeeded('alice@example.test')
  expect(throttle.delay('192.0.2.9', 'alice@example.test')).toBe(0)
  for (let i = 0; i < 4; i++) throttle.failed('192.0.2.1', null)
  throttle.succeeded('alice@example.test')
  expect(throttle.delay('192.0.2.1', 'bob@example.test')).toBe(500)
  await clock.advance(900_001)
  expect(throttle.delay('192.0.2.1', 'bob@example.test')).toBe(0)
})

it('forgets the oldest when there are too many', () => {
  const throttle = new LoginThrottle(new VirtualClock(), { entries: 100, freeFailures: 0 })
  for (let i = 0; i < 2000; i++) throttle.failed(`2001:db8:${i.toString(16)}::1`, `user${i}@example.test`)
  expect(throttle.delay('-', 'user0@example.test')).toBe(0)
  expect(throttle.delay('-', 'user1950@example.test')).toBe(250)
  expect(throttle.isBlocked('2001:db8::1')).toBe(true)
})
