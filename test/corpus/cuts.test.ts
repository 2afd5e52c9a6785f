import { expect, test } from 'vitest'
import { factsOf } from '../../src/mime/index.js'
import { checkTree, cut, randomly, told } from '../mime/samples.js'
import { corpusFiles, stalwartMessages } from './corpus.js'

const messages = [
  ...corpusFiles(),
  ...stalwartMessages().map(({ name, message }): [string, Buffer] => [name, message]),
]

test('the whole corpus is there', () => expect(messages.length).toBeGreaterThan(150))

// at every octet up to 4 KB, at 200 sets of cuts above
test.each(messages)('%s gives the same events and facts however it is cut', (_name, message) => {
  checkTree(factsOf(message), message)
  const whole = told([message])
  const random = randomly(11)
  const sets =
    message.length <= 4_096
      ? Array.from({ length: Math.max(message.length - 1, 0) }, (_, i) => [i + 1])
      : Array.from({ length: 200 }, () =>
          Array.from({ length: 1 + random(12) }, () => random(message.length)),
        )
  for (const places of sets) {
    const cutUp = told(cut(message, places))
    if (cutUp !== whole) expect([places, cutUp]).toEqual([places, whole])
  }
})
