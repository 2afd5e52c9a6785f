import { describe, expect, it } from 'vitest'
import { cuts, drive, GREETING, LOGIN, LOGIN_REPLY, makeEngine } from './drive.js'

/** What is sent before login, what comes back, and which events the session sees. */
interface Case {
  readonly rule: string
  readonly input: string
  readonly output: string
  readonly events?: readonly Record<string, unknown>[]
}

const inbox = { type: 'command', tag: 's', command: { name: 'SELECT', mailbox: 'INBOX' } }
const login = { type: 'command', tag: 'l', command: { name: 'LOGIN', user: 'fred', password: 'secret' } }
const closed = { type: 'closed' }

const notLoggedIn: readonly Case[] = [
  {
    rule: 'RFC 3501 section 6.1.1: CAPABILITY is answered in every state',
    input: 'a capability\r\n',
    output:
      '* CAPABILITY IMAP4rev1 LITERAL+ ID ENABLE IDLE NAMESPACE UIDPLUS MOVE UNSELECT CHILDREN SASL-IR STARTTLS ' +
      'AUTH=PLAIN AUTH=LOGIN\r\na OK Capabilities told\r\n',
    events: [],
  },
  {
    rule: 'RFC 3501 section 6.1.3: LOGOUT, and nothing after it',
    input: 'a LOGOUT\r\nb NOOP\r\n',
    output: '* BYE Logging out\r\na OK Logged out\r\n',
    events: [closed],
  },
  {
    rule: 'RFC 3501 section 6.2.3: arguments of LOGIN as atoms, quoted and literals',
    input: 'a LOGIN {4}\r\nfred "p\\"\\\\w"\r\n',
    output: '+ Ready for the literal\r\na OK',
    events: [{ type: 'command', tag: 'a', command: { name: 'LOGIN', user: 'fred', password: 'p"\\w' } }],
  },
  {
    rule: 'RFC 7888: a literal that does not wait, and the next command in the same segment',
    input: 'a LOGIN {4+}\r\nfred {6+}\r\nse\r\n{+\r\nb NOOP\r\n',
    output: 'a OK',
    events: [
      { type: 'command', tag: 'a', command: { name: 'LOGIN', user: 'fred', password: 'se\r\n{+' } },
      { type: 'command', tag: 'b', command: { name: 'NOOP' } },
    ],
  },
  {
    rule: 'UTF-8 in credentials',
    input: 'a LOGIN {5+}\r\nfr\xc3\xa9d "\xc3\xb6"\r\n',
    output: 'a OK',
    events: [{ type: 'command', tag: 'a', command: { name: 'LOGIN', user: 'fréd', password: 'ö' } }],
  },
  {
    rule: 'credentials that are not UTF-8',
    input: 'a LOGIN fred "\xff"\r\n',
    output: 'a BAD Expected UTF-8\r\n',
    events: [],
  },
  {
    rule: 'RFC 3501 section 6.2.2: AUTHENTICATE with a challenge',
    input: 'a authenticate plain\r\nAGZyZWQAc2VjcmV0\r\n',
    output: '+ \r\na OK',
    events: [
      {
        type: 'authenticate',
        tag: 'a',
        mechanism: 'PLAIN',
        question: {
          type: 'plain',
          credentials: { user: 'fred', password: 'secret', authorizationId: '' },
        },
      },
      { type: 'login', tag: 'a', mechanism: 'PLAIN', user: 'fred', result: { ok: true, user: 'fred' } },
    ],
  },
  {
    rule: 'RFC 4959: AUTHENTICATE with an initial response',
    input: 'a AUTHENTICATE PLAIN AGZyZWQAc2VjcmV0\r\n',
    output: 'a OK',
  },
  {
    rule: 'AUTHENTICATE LOGIN asks twice',
    input: 'a AUTHENTICATE LOGIN\r\nZnJlZA==\r\nc2VjcmV0\r\n',
    output: '+ VXNlcm5hbWU6\r\n+ UGFzc3dvcmQ6\r\na OK',
  },
  {
    rule: 'AUTHENTICATE cancelled; what follows is a command again',
    input: 'a AUTHENTICATE PLAIN\r\n*\r\nb NOOP\r\n',
    output: '+ \r\na BAD Cancelled\r\nb OK Done\r\n',
  },
  {
    rule: 'AUTHENTICATE with a response that is no base64',
    input: 'a AUTHENTICATE PLAIN\r\nAGZ\r\nb AUTHENTICATE PLAIN AGZyZWQAc2VjcmV0\n',
    output: '+ \r\na BAD Malformed response\r\nb BAD A line must end in CRLF\r\n',
    events: [],
  },
  {
    rule: 'AUTHENTICATE with a mechanism there is not',
    input: 'a AUTHENTICATE __proto__\r\nb AUTHENTICATE CRAM-MD5 AAAA\r\n',
    output:
      'a NO [CANNOT] The mechanism is not available\r\nb NO [CANNOT] The mechanism is not available\r\n',
  },
  {
    rule: 'RFC 3501 section 3: commands of other states get BAD, with or without a literal',
    input: 'a SELECT INBOX\r\nb SELECT {5}\r\n',
    output: 'a BAD SELECT is not possible in this state\r\nb BAD SELECT is not possible in this state\r\n',
    events: [],
  },
  {
    rule: 'a literal of a refused command is passed over with the rest of it',
    input: 'a SELECT {9+}\r\nx LOGOUT\r {9+}\r\ny LOGOUT\r\r\nb NOOP\r\n',
    output: 'a BAD SELECT is not possible in this state\r\nb OK Done\r\n',
  },
  {
    rule: 'tags that cannot be echoed',
    input: '+ NOOP\r\na+b NOOP\r\n',
    output: '* BAD Expected a tag and a command\r\n* BAD Expected a tag and a command\r\n',
  },
  {
    rule: 'words that are no command',
    input: 'a\r\na  NOOP\r\n',
    output: '* BAD Expected a tag and a command\r\na BAD Unknown command\r\n',
  },
  {
    rule: 'three bad commands in a row end the session before login',
    input: 'a X\r\nb NOOP now\r\n\r\nc NOOP\r\n',
    output:
      'a BAD Unknown command\r\nb BAD Unexpected text after the command\r\n* BAD Expected a tag and a command\r\n' +
      '* BYE Too many bad commands\r\n',
    events: [closed],
  },
  { rule: 'HTTP', input: 'GET / HTTP/1.1\r\nHost: x\r\n\r\n', output: '', events: [closed] },
  { rule: 'HTTP with a body', input: 'POST /a HTTP/1.1\r\n', output: '', events: [closed] },
  { rule: 'a header of HTTP', input: 'Host: mail.example\r\n', output: '', events: [closed] },
  {
    rule: 'RFC 2971: ID before login',
    input: 'a ID ("name" "x" "v" NIL)\r\nb id nil\r\nc ID ()\r\n',
    output: 'a OK Done\r\nb OK Done\r\nc OK Done\r\n',
    events: [
      {
        type: 'command',
        tag: 'a',
        command: {
          name: 'ID',
          parameters: [
            ['name', 'x'],
            ['v', null],
          ],
        },
      },
      { type: 'command', tag: 'b', command: { name: 'ID', parameters: null } },
      { type: 'command', tag: 'c', command: { name: 'ID', parameters: [] } },
    ],
  },
]

const loggedIn: readonly Case[] = [
  {
    rule: 'LOGIN twice',
    input: 'a LOGIN fred secret\r\n',
    output: 'a BAD LOGIN is not possible in this state\r\n',
    events: [],
  },
  {
    rule: 'RFC 3501 section 5.1.3: mailbox names are decoded, INBOX in any case',
    input: 's select iNbOx\r\nb CREATE &ZeVnLIqe-\r\nc RENAME "a&-b" {3+}\r\nR&D\r\n',
    output: 's OK Done\r\nb OK Done\r\nc NO [CANNOT] The mailbox name is not canonical modified UTF-7\r\n',
    events: [inbox, { type: 'command', tag: 'b', command: { name: 'CREATE', mailbox: '日本語' } }],
  },
  {
    rule: 'RFC 2177: IDLE',
    input: 'a IDLE\r\nDONE\r\nb NOOP\r\n',
    output: '+ idling\r\na OK Done\r\nb OK Done\r\n',
    events: [
      { type: 'command', tag: 'a', command: { name: 'IDLE' } },
      { type: 'idleDone', tag: 'a' },
      { type: 'command', tag: 'b', command: { name: 'NOOP' } },
    ],
  },
  {
    rule: 'RFC 2177: anything but DONE ends IDLE and is refused',
    input: 'a IDLE\r\nb NOOP\r\nc NOOP\r\n',
    output: '+ idling\r\na BAD Expected DONE\r\nc OK Done\r\n',
  },
  {
    rule: 'RFC 3501 section 6.3.11: APPEND',
    input:
      'a APPEND INBOX (\\seen $Label1 \\Seen) " 7-Feb-1994 21:52:25 -0800" {10}\r\na\r\nb {4}\r\n\r\nb NOOP\r\n',
    output: '+ Ready for the message\r\na OK Done\r\nb OK Done\r\n',
    events: [
      {
        type: 'append',
        tag: 'a',
        mailbox: 'INBOX',
        flags: ['\\Seen', '$Label1'],
        internalDate: Date.UTC(1994, 1, 8, 5, 52, 25),
        size: 10,
      },
      { type: 'appendData', text: 'a\r\nb {4}\r\n' },
      { type: 'appendEnd', tag: 'a' },
      { type: 'command', tag: 'b', command: { name: 'NOOP' } },
    ],
  },
  {
    rule: 'APPEND with the mailbox as a literal',
    input: 'a APPEND {5}\r\nINBOX {3+}\r\nabc\r\n',
    output: '+ Ready for the literal\r\na OK Done\r\n',
    events: [
      { type: 'append', tag: 'a', mailbox: 'INBOX', flags: [], internalDate: null, size: 3 },
      { type: 'appendData', text: 'abc' },
      { type: 'appendEnd', tag: 'a' },
    ],
  },
  {
    rule: 'APPEND of nothing',
    input: 'a APPEND INBOX {0}\r\n\r\n',
    output: '+ Ready for the message\r\na OK Done\r\n',
  },
  {
    rule: 'APPEND refused where the client waits: no continuation',
    input: 'a APPEND no {3}\r\nb NOOP\r\n',
    output: 'a NO [TRYCREATE] None\r\nb OK Done\r\n',
  },
  {
    rule: 'APPEND refused where it does not: the message is consumed',
    input: 'a APPEND no {12+}\r\nx LOGOUT\r\n..\r\nb NOOP\r\n',
    output: 'a NO [TRYCREATE] None\r\nb OK Done\r\n',
  },
  {
    rule: 'APPEND with text after the message',
    input: 'a APPEND INBOX {3}\r\nabc more\r\nb NOOP\r\n',
    output: '+ Ready for the message\r\na BAD Unexpected text after the message\r\nb OK Done\r\n',
    events: [
      { type: 'append', tag: 'a', mailbox: 'INBOX', flags: [], internalDate: null, size: 3 },
      { type: 'appendData', text: 'abc' },
      { type: 'appendAbort' },
      { type: 'command', tag: 'b', command: { name: 'NOOP' } },
    ],
  },
  {
    rule: 'APPEND of a second message, which is not offered',
    input: 'a APPEND INBOX {3}\r\nabc {9+}\r\nz LOGOUT\r\r\nb NOOP\r\n',
    output: '+ Ready for the message\r\na BAD One message at a time\r\nb OK Done\r\n',
  },
  {
    rule: 'APPEND with a malformed beginning',
    input: 'a APPEND INBOX (\\Recent) {3}\r\nb APPEND INBOX x {3+}\r\nabc\r\nc APPEND INBOX\r\nd NOOP\r\n',
    output:
      'a BAD No such system flag\r\nb BAD Expected a literal\r\nc BAD Expected a literal\r\nd OK Done\r\n',
    events: [{ type: 'command', tag: 'd', command: { name: 'NOOP' } }],
  },
  {
    rule: 'a line that ends in LF only is no command',
    input: 'a NOOP\nb NOOP\r\n',
    output: 'a BAD A line must end in CRLF\r\nb OK Done\r\n',
  },
  {
    rule: 'NUL in a literal',
    input: 'a CREATE {3+}\r\na\0b\r\nb NOOP\r\n',
    output: 'a BAD A literal may not hold NUL\r\nb OK Done\r\n',
  },
  {
    rule: 'CHECK needs a mailbox',
    input: 'a CHECK\r\ns SELECT INBOX\r\nb CHECK\r\nc UNSELECT\r\nd EXPUNGE\r\n',
    output:
      'a BAD CHECK is not possible in this state\r\ns OK Done\r\nb OK Done\r\nc OK Done\r\n' +
      'd BAD EXPUNGE is not possible in this state\r\n',
  },
]

describe('commands, at every cut', () => {
  for (const { rule, input, output, events } of notLoggedIn) {
    it(rule, () => {
      for (const chunks of cuts(input)) {
        const got = drive(makeEngine(), chunks)
        expect(got.output.slice(0, GREETING.length)).toBe(GREETING)
        const rest = got.output.slice(GREETING.length)
        if (output.endsWith('OK')) expect(rest).toContain(`${output} [CAPABILITY IMAP4rev1`)
        else expect(rest).toBe(output)
        if (events !== undefined) expect(got.events).toEqual(events)
      }
    })
  }

  for (const { rule, input, output, events } of loggedIn) {
    it(rule, () => {
      for (const chunks of cuts(input)) {
        const got = drive(makeEngine(), [LOGIN, ...chunks])
        expect(got.output).toBe(GREETING + LOGIN_REPLY + output)
        if (events !== undefined) expect(got.events).toEqual([login, ...events])
        expect(got.need).toBe('input')
      }
    })
  }
})
