import { describe, expect, it } from 'vitest'
import { passwordLimits, throttleLimits } from '../../src/auth/index.js'
import type { LimitRule } from '../../src/core/index.js'
import { imapLimitRules } from '../../src/imap/index.js'
import { mimeLimitRules } from '../../src/mime/index.js'
import { pop3ServerLimits } from '../../src/pop3/index.js'
import { checkOptions, listenerNames } from '../../src/server/index.js'
import { smtpServerLimits } from '../../src/smtp/index.js'
import { storeLimits } from '../../src/storage/limits.js'
import { readPage } from './pages.js'

const page = readPage('docs/configuration.md')

/** The part of the page under a heading. */
function section(heading: string): string {
  const [, rest] = page.split(`\n## ${heading}\n`)
  expect(rest, `a section "${heading}"`).toBeDefined()
  return (rest as string).split('\n## ')[0] as string
}

/** The settings there are, as the error about one that there is not names them. */
function settingsThereAre(): readonly string[] {
  try {
    checkOptions({ none: true })
  } catch (error) {
    const [, names = ''] = /known here: (.*)$/.exec((error as Error).message) ?? []
    return names.split(', ')
  }
  return []
}

it('tells of every setting and listener', () => {
  const settings = settingsThereAre()
  expect(settings.length).toBeGreaterThan(10)
  for (const name of settings)
    expect(section('Settings'), name).toMatch(new RegExp(`^\\| \`${name}\` \\|`, 'm'))
  for (const name of listenerNames) expect(section('Listeners'), name).toContain(`| \`${name}\` |`)
})

const rules = (table: Readonly<Record<string, LimitRule>>): Readonly<Record<string, number>> =>
  Object.fromEntries(Object.entries(table).map(([name, rule]) => [name, rule.default]))

describe('limits', () => {
  const tables: Readonly<Record<string, Readonly<Record<string, number>>>> = {
    'SMTP limits': rules(smtpServerLimits),
    'POP3 limits': rules(pop3ServerLimits),
    'IMAP limits': rules(imapLimitRules),
    'MIME limits': rules(mimeLimitRules),
    'Store limits': storeLimits(),
    'Login throttling': rules(throttleLimits),
    'Password hashing': rules(passwordLimits),
  }
  for (const [heading, defaults] of Object.entries(tables)) {
    it(heading, () => {
      const rows = [...section(heading).matchAll(/^\| `(\w+)` \| ([\d,]+) \|/gm)].map(
        ([, name, value]) => [name, Number(value?.replaceAll(',', ''))] as const,
      )
      expect(Object.fromEntries(rows)).toEqual(defaults)
    })
  }
})
